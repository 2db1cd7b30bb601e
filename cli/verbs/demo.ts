import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { environmentVariables } from '../../lib/config/environment.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { openSearch } from '../../lib/operations/models/search.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionSummary } from '../../lib/ports/workflows.ts';
import { nightlyTraining } from '../../lib/training/machines.ts';
import type { Attempt } from '../../lib/training/run.ts';
import { stageNames } from '../../lib/training/stages.ts';
import { serveSocket } from '../../local/control/server.ts';
import { type DemoFamily, demoFamilies, gatherFamily } from '../../local/demo/corpora.ts';
import { openRuntime, type Runtime } from '../../local/runtime.ts';
import { type Occurrences, parseSchedule } from '../../local/schedule/expression.ts';
import { causeText, type Output, plain, schemaVersion, seconds } from '../output.ts';
import { print } from '../print.ts';
import { closeGates } from '../quality/look-at-data.ts';
import { command, reportsOf, type Session } from '../session.ts';
import { table } from '../table.ts';
import { requireLocal } from '../target.ts';
import type { RunView } from '../watch/run-views.ts';
import { transitionsOf, watch } from '../watch/watch.ts';
import { scaleOf } from './executions.ts';
import { tenantOf } from './tenants.ts';

const machine = nightlyTraining.key;

async function addFamilies(
  session: Session,
  runtime: Runtime,
  families: readonly DemoFamily[],
): Promise<void> {
  const { control, state } = runtime;
  for (const family of families) {
    if (await control.tenants.get(family.tenantId)) continue;
    const folder = join(state.path, 'objects', 'demo-documents', family.tenantId);
    const files = gatherFamily(join(session.projectDir, 'node_modules'), family, folder);
    const options = {
      documentsUri: pathToFileURL(folder).href,
      backend: 'local',
      priority: '50',
      schedule: 'on',
      maxTokens: String(family.maxTokens),
      spot: true,
    };
    await control.tenants.add(tenantOf(family.tenantId, options, control.config.workloads));
    if (!session.output.json)
      session.output.write(
        `  tenant ${family.tenantId.padEnd(14)} ${files} documents from the packages installed here\n`,
      );
  }
}

function scheduledTimeOf(execution: ExecutionSummary & { readonly input?: unknown }): string {
  const { scheduledTime } = (execution.input ?? {}) as { scheduledTime?: string };
  return scheduledTime ?? execution.startDate;
}

/**
 * The scheduled time of the night to run: the latest of the calendar that no night on record has. One that is to come stays the
 * schedule's, which would find it done.
 */
export function scheduledTimeToRun(
  occurrences: Pick<Occurrences, 'previous'>,
  now: number,
  taken: ReadonlySet<string>,
): string {
  let at = occurrences.previous(new Date(now)) ?? new Date(now);
  while (taken.has(at.toISOString())) {
    const before = occurrences.previous(new Date(at.getTime() - 1));
    if (!before) break;
    at = before;
  }
  return at.toISOString();
}

/** The night to run: one that an earlier demo left unfinished, or the latest that none has run. */
async function nextNight(
  session: Session,
  control: OperatorApi,
): Promise<{ readonly resumed?: string; readonly scheduledTime: string }> {
  const nights = await control.workflows.list({ machine, limit: 1_000 });
  const schedule = (await control.schedules.list()).find(({ name }) => name === machine);
  if (!schedule)
    throw new EpsilonError('SCHEDULE_NOT_FOUND', `serverless.yml declares no schedule "${machine}".`);
  const details = await Promise.all(
    nights.map(({ executionArn }) => control.workflows.describe(executionArn)),
  );
  const running = details.find(({ status }) => status === 'RUNNING');
  if (running) return { resumed: running.executionArn, scheduledTime: scheduledTimeOf(running) };
  const occurrences = parseSchedule(schedule.expression, schedule.timezone);
  const taken = new Set(details.map(scheduledTimeOf));
  return { scheduledTime: scheduledTimeToRun(occurrences, session.clock.now(), taken) };
}

async function begin(
  session: Session,
  control: OperatorApi,
): Promise<{ arn: string; scheduledTime: string }> {
  const { resumed, scheduledTime } = await nextNight(session, control);
  const say = (text: string) => session.output.json || session.output.write(`${text}\n\n`);
  if (resumed) {
    say(`Going on with the night of ${scheduledTime.slice(0, 10)}, which was interrupted`);
    return { arn: resumed, scheduledTime };
  }
  await closeGates(session, control);
  say(
    `The night of ${scheduledTime.slice(0, 10)}: firing the schedule ${machine} with its own event (${scheduledTime})`,
  );
  await control.schedules.fire(machine, scheduledTime);
  const [started] = await control.workflows.list({ machine, limit: 1 });
  if (!started)
    throw new EpsilonError('NIGHT_NOT_STARTED', 'The schedule was fired, but no night began.', {
      exitCode: exitCodes.backend,
    });
  return { arn: started.executionArn, scheduledTime };
}

function secondsOf(attempt: Attempt): number {
  const from = Date.parse(attempt.startedAt ?? attempt.intentAt);
  const to = Date.parse(attempt.finishedAt ?? attempt.settledAt ?? attempt.intentAt);
  return Math.max(0, Math.round(to - from)) / 1000;
}

async function tenantReport(control: OperatorApi, { run, attempts }: RunView) {
  const model = await control.models.get(run.tenantId, run.modelVersion);
  const stages = stageNames.flatMap((stage) => {
    const mine = attempts.filter((attempt) => attempt.stage === stage);
    return mine.length === 0
      ? []
      : [
          {
            stage,
            attempts: mine.length,
            seconds: mine.reduce((sum, attempt) => sum + secondsOf(attempt), 0),
          },
        ];
  });
  return {
    tenantId: run.tenantId,
    status: run.status,
    reason: run.status === 'succeeded' ? null : (run.cause ?? null),
    modelVersion: model?.modelVersion ?? null,
    modelUri: model?.modelUri ?? null,
    indexUri: model?.indexUri ?? null,
    vectors: model?.vectors ?? 0,
    dimensions: model?.dimensions ?? 0,
    transitions: await transitionsOf(control, run.executionArn),
    stages,
  };
}

type TenantReport = Awaited<ReturnType<typeof tenantReport>>;

function reportTable(output: Output, tenants: readonly TenantReport[]): string {
  return table(
    output,
    [
      'TENANT',
      'OUTCOME',
      ...stageNames.map((stage) => stage.toUpperCase()),
      'ATTEMPTS',
      'VECTORS',
      'MODEL',
      'TRANSITIONS',
    ],
    tenants.map((tenant) => [
      tenant.tenantId,
      tenant.status,
      ...stageNames.map((name) => {
        const stage = tenant.stages.find((one) => one.stage === name);
        return stage ? seconds(stage.seconds * 1000) : '-';
      }),
      tenant.stages.reduce((sum, stage) => sum + stage.attempts, 0),
      tenant.vectors,
      tenant.modelVersion ?? '-',
      tenant.transitions,
    ]),
  );
}

/** Why each tenant that did not make it did not make it. */
async function reasons(
  control: OperatorApi,
  views: readonly RunView[],
  told: (runId: string) => boolean,
): Promise<string> {
  const lines: string[] = [];
  for (const { run } of views) {
    if (run.status === 'succeeded' || told(run.runId)) continue;
    const { error, cause } = await control.workflows.describe(run.executionArn);
    lines.push(`  ${run.tenantId}: ${error ?? run.status}: ${causeText(cause ?? run.cause)}\n`);
  }
  return lines.join('');
}

/** One real answer per tenant from the model that was just promoted. */
async function answers(
  session: Session,
  control: OperatorApi,
  tenants: readonly TenantReport[],
): Promise<string> {
  const lines: string[] = [];
  for (const { tenantId } of tenants) {
    const live = await control.models.live(tenantId);
    if (!live) continue;
    const question =
      demoFamilies.find((family) => family.tenantId === tenantId)?.question ?? 'how do I begin';
    const search = await openSearch(control.objects, live);
    const [best] = await search.ask(question, 1);
    const text =
      plain(best?.text ?? '').slice(0, Math.max(60, (session.output.columns ?? 100) - 12)) || '(no answer)';
    lines.push(
      `  ${tenantId}: "${question}"\n    ${best?.score.toFixed(3) ?? ''}  ${best?.source ?? ''}\n    ${text}`,
    );
  }
  return lines.join('\n');
}

async function night(session: Session, runtime: Runtime, retryScale: number): Promise<void> {
  const { control } = runtime;
  const began = session.clock.now();
  const { arn } = await begin(session, control);
  const { execution, views, told } = await watch(session, control, arn, retryScale);
  const tenants = await Promise.all(views.map((view) => tenantReport(control, view)));
  const total = tenants.reduce((sum, tenant) => sum + tenant.transitions, await transitionsOf(control, arn));
  const document = {
    status: execution.status.toLowerCase(),
    seconds: (session.clock.now() - began) / 1000,
    transitions: total,
    tenants,
  };
  const found = session.output.json
    ? ''
    : (await reasons(control, views, told)) + (await answers(session, control, tenants));
  print(
    session.output,
    { schemaVersion, ...document },
    () =>
      `\n${reportTable(session.output, tenants)}\n\n${found}\n\nNight ${execution.name}: ${execution.status} in ${seconds(document.seconds * 1000)}, ${total} transitions.\nAsk more:\n    ${command(session, `query --tenant ${tenants.find((tenant) => tenant.status === 'succeeded')?.tenantId ?? 'acme'} "your question"`)}`,
  );
  if (execution.status === 'SUCCEEDED') return;
  throw new EpsilonError(
    'RUN_FAILED',
    `The night failed: ${execution.error}: ${causeText(execution.cause)}. Fix the cause, then run:\n    ${command(session, `redrive ${machine}/${execution.name}`)}`,
    { exitCode: exitCodes.runFailed },
  );
}

interface DemoOptions {
  readonly tenants: string;
  readonly retryScale: string;
}

async function demo(session: Session, options: DemoOptions): Promise<void> {
  const count = Number(options.tenants);
  if (!Number.isInteger(count) || count < 1 || count > demoFamilies.length)
    throw new EpsilonError(
      'USAGE',
      `--tenants ${options.tenants} is not a whole number from 1 to ${demoFamilies.length}.`,
    );
  const { stateDir } = requireLocal(
    session.target,
    '"epsilon demo"',
    `on AWS add tenants and run ${machine}.`,
  );
  const runtime = await openRuntime({
    projectDir: session.projectDir,
    stateDir,
    mode: 'write',
    variables: environmentVariables(),
    clock: session.clock,
    schedules: true,
    ...scaleOf(session.target, options.retryScale),
    ...reportsOf(session),
  });
  try {
    const socket = await serveSocket(runtime.controlFor, runtime.state.socket, runtime);
    try {
      if (!session.output.json)
        session.output.write(
          `Epsilon on this host, state in ${runtime.state.path} (pauses of retries x ${options.retryScale})\n`,
        );
      await addFamilies(session, runtime, demoFamilies.slice(0, count));
      await night(session, runtime, Number(options.retryScale));
    } finally {
      await socket.close();
    }
  } finally {
    await runtime.close();
  }
}

/** `demo` */
export function addDemo(program: Command, session: () => Session): void {
  program
    .command('demo')
    .description('run a night of training on this host, from the schedule to a search answer')
    .option('--tenants <n>', 'how many demo tenants', String(demoFamilies.length))
    .option('--retry-scale <0-1>', 'factor on the pauses of retries', '0.01')
    .action((options: DemoOptions) => demo(session(), options));
}
