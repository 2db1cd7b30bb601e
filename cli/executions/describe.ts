import { inParallel } from '../../lib/concurrency/in-parallel.ts';
import { findMachine } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import type { Attempt, Run } from '../../lib/training/run.ts';
import { emptyNightText } from '../nights/night.ts';
import { causeText, plain, toTheSecond } from '../output.ts';
import { table } from '../table.ts';
import { dateOf, newestRuns } from '../watch/watch.ts';
import { dataNote } from './data-note.ts';

/** Tenants whose attempts are asked for at once. */
const atOnce = 8;

/** What people want to know of an attempt: where it ran, why there, and how it ended. Never its token. */
function attemptView(attempt: Attempt) {
  const { stage, status, backend, capacity, capacityBecause, reason, jobName, exitCode, error, cause } =
    attempt;
  const { image } = attempt;
  return {
    stage,
    attempt: attempt.attempt,
    status,
    backend,
    capacity,
    capacityBecause,
    reason,
    exitCode,
    jobName,
    image,
    error,
    cause,
  };
}

type AttemptView = ReturnType<typeof attemptView>;

/** How a night went for one of its tenants; one that could not be started has no run. */
interface TenantView extends Partial<Pick<Run, 'runId' | 'startedAt' | 'finishedAt' | 'error' | 'cause'>> {
  readonly tenantId: string;
  readonly status: Run['status'] | 'not-started';
  /** Given for tenants whose run did not succeed. */
  readonly attempts: readonly AttemptView[];
}

/** What `describe` shows of an execution. */
export interface Description {
  readonly execution: ExecutionDetail;
  /** Attempts of the run that the execution is. */
  readonly attempts: readonly AttemptView[];
  /** Tenants of the night that the execution is, those that did not succeed first. */
  readonly tenants?: readonly TenantView[];
  /** Why a night has no tenants; which attempts of a run ran other code than the run began with, and what its data lacks. */
  readonly note?: string;
}

async function attemptsOf(control: OperatorApi, runId: string): Promise<AttemptView[]> {
  return (await control.runs.listAttempts(runId)).map(attemptView);
}

/** Ids of tenants that a judged night could not start; its output has the first hundred. */
function notStarted({ output }: ExecutionDetail): string[] {
  const { notStartedTenants } = (output ?? {}) as { readonly notStartedTenants?: unknown };
  return Array.isArray(notStartedTenants) ? notStartedTenants.map(String) : [];
}

async function tenantsOf(control: OperatorApi, execution: ExecutionDetail): Promise<TenantView[]> {
  const { executionArn } = execution;
  const runs = newestRuns(await control.runs.listRuns({ nightArn: executionArn, ...dateOf(execution) }));
  const views = await inParallel(runs, atOnce, async (run): Promise<TenantView> => {
    const { tenantId, status, runId, startedAt, finishedAt } = run;
    // A run that was redriven keeps on record why it failed before; that says nothing of how it stands now.
    const { error, cause } = status === 'succeeded' || status === 'running' ? {} : run;
    return {
      tenantId,
      status,
      runId,
      startedAt,
      ...(finishedAt === undefined ? {} : { finishedAt }),
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
      attempts: status === 'succeeded' ? [] : await attemptsOf(control, runId),
    };
  });
  const known = new Set(runs.map(({ tenantId }) => tenantId));
  const missing = notStarted(execution)
    .filter((tenantId) => !known.has(tenantId))
    .map((tenantId): TenantView => ({ tenantId, status: 'not-started', attempts: [] }));
  const rank = ({ status }: TenantView) => (status === 'succeeded' ? 1 : 0);
  return [...views, ...missing].sort((a, b) => rank(a) - rank(b) || (a.tenantId < b.tenantId ? -1 : 1));
}

/** Which attempts ran other code than their run began with; empty when none did. */
function otherCode(run: Run | undefined, attempts: readonly AttemptView[]): string {
  const begunWith: ReadonlySet<string> = new Set(Object.values(run?.images ?? {}));
  const others = attempts.filter(({ image }) => image !== undefined && !begunWith.has(image));
  if (run === undefined || others.length === 0) return '';
  const named = others.map(({ stage, attempt, image = '' }) => `  ${stage} ${attempt} ran ${image}`);
  return ['The code was changed after the run began:', ...named].join('\n');
}

/** Gathers what `describe` shows: of a run its attempts, of a night its tenants. */
export async function describeExecution(
  control: OperatorApi,
  execution: ExecutionDetail,
): Promise<Description> {
  const outcome = findMachine(execution.machine)?.outcome;
  if (outcome === 'run') {
    const run = await control.runs.getRun(execution.name);
    const own = await control.runs.listAttempts(execution.name);
    const attempts = own.map(attemptView);
    const note = [otherCode(run, attempts), dataNote(own)].filter((words) => words !== '').join('\n');
    return { execution, attempts, ...(note === '' ? {} : { note }) };
  }
  if (outcome !== 'night') return { execution, attempts: [] };
  const tenants = await tenantsOf(control, execution);
  const note = tenants.length === 0 ? await emptyNightText(control, execution) : '';
  return { execution, attempts: [], tenants, ...(note === '' ? {} : { note }) };
}

const reasonOf = ({
  error,
  cause,
}: {
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}) => (error === undefined ? '' : `${plain(error)}: ${plain(causeText(cause))}`);

function headText({ execution }: Description): string[] {
  const { executionArn, machine, name, status, startDate, stopDate, redriveCount } = execution;
  const { input, output, redriveStatus, redriveStatusReason } = execution;
  const lines: [string, string][] = [
    ['ARN', executionArn],
    ['started', toTheSecond(startDate)],
    ['ended', toTheSecond(stopDate)],
    ['redrives', redriveCount === 0 ? '' : String(redriveCount)],
    ['input', JSON.stringify(input) ?? ''],
    ['output', output === undefined ? '' : JSON.stringify(output)],
    ['reason', reasonOf(execution)],
    ['redrive', [redriveStatus, redriveStatusReason].filter((part) => part !== undefined).join(': ')],
  ];
  return [
    `${machine}/${name} ${status}`,
    ...lines.filter(([, value]) => value !== '').map(([label, value]) => `  ${label.padEnd(9)} ${value}`),
  ];
}

function attemptTable(
  columns: number | undefined,
  attempts: readonly (readonly [string, AttemptView])[],
): string[] {
  if (attempts.length === 0) return [];
  const named = attempts.some(([tenantId]) => tenantId !== '');
  const rows = attempts.map(([tenantId, one]) => [
    ...(named ? [tenantId] : []),
    `${one.stage} ${one.attempt}`,
    one.status,
    one.exitCode === undefined ? (one.reason ?? '') : `${one.reason ?? ''} (exit ${one.exitCode})`.trim(),
    one.backend === 'local' ? one.backend : `${one.backend} ${one.capacity}`,
    one.backend === 'local' ? '' : (one.capacityBecause ?? ''),
    one.jobName,
  ]);
  const head = [...(named ? ['TENANT'] : []), 'ATTEMPT', 'STATUS', 'REASON', 'WHERE', 'BECAUSE', 'JOB'];
  const why = attempts.flatMap(([tenantId, one]) => {
    const reason = reasonOf(one);
    return reason === '' ? [] : [`  ${named ? `${tenantId} ` : ''}${one.stage} ${one.attempt}: ${reason}`];
  });
  return ['', table({ columns }, head, rows), ...(why.length > 0 ? ['', ...why] : [])];
}

function tenantTable(columns: number | undefined, tenants: readonly TenantView[]): string[] {
  const rows = tenants.map((one) => [
    one.tenantId,
    one.status,
    toTheSecond(one.startedAt),
    toTheSecond(one.finishedAt),
    one.runId ?? '',
  ]);
  const why = tenants.flatMap((one) => {
    const reason = reasonOf(one);
    return reason === '' ? [] : [`  ${one.tenantId}: ${reason}`];
  });
  return [
    '',
    table({ columns }, ['TENANT', 'OUTCOME', 'STARTED', 'ENDED', 'RUN'], rows),
    ...(why.length > 0 ? ['', ...why] : []),
  ];
}

/** What `describe` prints for people: all that `--json` has. */
export function describeText(columns: number | undefined, description: Description): string {
  const { attempts, tenants, note } = description;
  const ofTenants = (tenants ?? []).flatMap(({ tenantId, attempts }) =>
    attempts.map((attempt) => [tenantId, attempt] as const),
  );
  return [
    ...headText(description),
    ...(note === undefined ? [] : ['', note]),
    ...(tenants === undefined || tenants.length === 0 ? [] : tenantTable(columns, tenants)),
    ...attemptTable(columns, [...attempts.map((one) => ['', one] as const), ...ofTenants]),
  ].join('\n');
}
