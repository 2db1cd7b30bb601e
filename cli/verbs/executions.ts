import type { Command } from 'commander';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { withoutTokens } from '../../lib/event-schemas/without-tokens.ts';
import { machines } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail, ExecutionStatus, HistoryEvent } from '../../lib/ports/workflows.ts';
import { describeExecution, describeText } from '../executions/describe.ts';
import { historyLines } from '../executions/history-text.ts';
import { withHints } from '../hints.ts';
import { catchUp } from '../nights/catch-up.ts';
import { emptyNightText } from '../nights/night.ts';
import { causeText, toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { command, findExecution, type Session, withControl } from '../session.ts';
import { prepareStart, type StartOptions } from '../start-input.ts';
import { table } from '../table.ts';
import { requireLocal, type Target } from '../target.ts';
import { openExecution } from '../watch/attach.ts';
import { type Watched, watch } from '../watch/watch.ts';
import { wholeNumber } from '../whole-number.ts';

/** Prints how an execution ended and throws with exit code 1 unless it succeeded. */
async function conclude(session: Session, control: OperatorApi, { execution, told }: Watched): Promise<void> {
  const nobody = await emptyNightText(control, execution);
  // What was shown when it happened is not said again.
  const reason =
    execution.error === undefined || told(execution.name)
      ? ''
      : `: ${execution.error}: ${causeText(execution.cause)}`;
  print(
    session.output,
    { execution },
    () => `${execution.machine}/${execution.name} ${execution.status}${reason}${nobody ? `\n${nobody}` : ''}`,
  );
  if (execution.status === 'SUCCEEDED') return;
  throw new EpsilonError(
    'RUN_FAILED',
    `${execution.name} ended ${execution.status}. Fix the cause, then run:\n    ${command(session, `redrive ${execution.machine}/${execution.name}`)}`,
    {
      exitCode: exitCodes.runFailed,
    },
  );
}

interface RunOptions extends StartOptions {
  readonly wait: boolean;
  readonly retryScale?: string;
  readonly catchUp?: string;
}

/** Says that the work is being done already, and watches that. */
async function follow(
  session: Session,
  control: OperatorApi,
  { executionArn, machine, name, startDate }: ExecutionDetail,
  { wait, retryScale }: RunOptions,
): Promise<void> {
  const since = `${machine}/${name} runs already (since ${toTheSecond(startDate)})`;
  if (!wait) {
    print(session.output, { executionArn, attached: true }, () => `${since}; nothing was started.`);
    return;
  }
  if (!session.output.json) session.output.write(`${since}; going on with it.\n`);
  await conclude(session, control, await watch(session, control, executionArn, Number(retryScale ?? 1)));
}

/** Starts a machine and watches it, as `run` does. */
export async function runMachine(session: Session, machine: string, options: RunOptions): Promise<void> {
  const scale = scaleOf(session.target, options.retryScale);
  await withControl(session, { mode: 'write', schedules: false, ...scale }, async (control) => {
    if (options.catchUp !== undefined) {
      await catchUp(session, control, machine, {
        ...options,
        catchUp: options.catchUp,
        scale: scale.retryScale,
      });
      return;
    }
    const start = prepareStart(session, machine, options);
    const open = await openExecution(control, machine, start, options, session.clock.now());
    if (open) {
      await follow(session, control, open, options);
      return;
    }
    const { executionArn } = await withHints(session, () => control.workflows.start({ machine, ...start }));
    if (!options.wait) {
      print(session.output, { executionArn }, () => `Started ${executionArn}`);
      return;
    }
    await conclude(session, control, await watch(session, control, executionArn, scale.retryScale));
  });
}

/** The factor on retry pauses, as a number; a machine on AWS pauses as it says. */
export function scaleOf(target: Target, text: string | undefined): { retryScale?: number } {
  if (text === undefined) return {};
  requireLocal(target, '--retry-scale', 'on AWS the pauses of retries are those of the state machine.');
  const scale = Number(text);
  if (Number.isFinite(scale) && scale >= 0 && scale <= 1) return { retryScale: scale };
  throw new EpsilonError('USAGE', `--retry-scale ${text} is not a number from 0 to 1.`);
}

async function history(session: Session, given: string): Promise<void> {
  await withControl(session, { mode: 'read' }, async (control) => {
    const { executionArn } = await findExecution(session, control, given);
    const all = await Array.fromAsync(control.workflows.history(executionArn));
    const events = all.map((event) => withoutTokens(event) as HistoryEvent);
    print(session.output, { events }, () => historyLines(events).join('\n'));
  });
}

/** The command that starts a new run for the work of an execution. */
function newRun(session: Session, { machine, input }: ExecutionDetail): string {
  const { tenantId, ...rest } = (input ?? {}) as Record<string, unknown>;
  const { logicalDate } = rest;
  const tenant = typeof tenantId === 'string' ? ` --tenant ${tenantId}` : '';
  const date = typeof logicalDate === 'string' ? ` --input '${JSON.stringify({ logicalDate })}'` : '';
  return command(session, `run ${machine}${tenant}${date}`);
}

/** Says where a redriven run does not know what its tenant's record has become meanwhile. */
async function noteOldSettings(
  session: Session,
  control: OperatorApi,
  { machine, name }: ExecutionDetail,
): Promise<void> {
  const run = machine === 'tenant-model-training' ? await control.runs.getRun(name) : undefined;
  const tenant = run && (await control.tenants.get(run.tenantId));
  if (!tenant || tenant.version === run.tenantVersion) return;
  session.output.warn(
    `${tenant.tenantId} was changed after this run began; the run keeps the settings it began with. With the new ones: ${command(session, `run ${machine} --tenant ${tenant.tenantId}`)}\n`,
  );
}

/** Redrives; a refusal names the command for a new run. */
async function redrive(session: Session, control: OperatorApi, execution: ExecutionDetail): Promise<void> {
  try {
    await control.workflows.redrive(execution.executionArn);
  } catch (error) {
    if (!(error instanceof EpsilonError) || error.code !== 'REDRIVE_NOT_ALLOWED') throw error;
    const instead = newRun(session, execution);
    throw new EpsilonError(error.code, `${error.message} Start a new run with: ${instead}`, {
      exitCode: error.exitCode,
      cause: error,
      details: { ...error.details, newRun: instead },
    });
  }
}

const statuses: readonly ExecutionStatus[] = [
  ...(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'] as const),
];

/** Which executions are listed; throws `USAGE` naming the option. */
function filterOf(options: { machine?: string; status?: string; limit: string }) {
  const limit = wholeNumber('--limit', options.limit, 10_000);
  const status = statuses.find((each) => each === options.status?.toUpperCase().replace('-', '_'));
  if (options.status !== undefined && status === undefined)
    throw new EpsilonError('USAGE', `--status ${options.status} is none of ${statuses.join(', ')}.`);
  return {
    limit,
    ...(options.machine ? { machine: options.machine } : {}),
    ...(status ? { status } : {}),
  };
}

async function requireMachine(control: OperatorApi, machine: string): Promise<void> {
  const known = await control.workflows.machines();
  if (known.includes(machine)) return;
  throw new NotFound(
    'MACHINE_NOT_FOUND',
    `There is no state machine "${machine}" (known: ${known.join(', ')}).`,
  );
}

async function stop(session: Session, given: string, cause: string): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const { executionArn } = await findExecution(session, control, given);
    await control.workflows.stop(executionArn, { error: 'Stopped', cause });
    print(session.output, { executionArn }, () => `Stopped ${executionArn}`);
  });
}

/** Machines that work for one tenant. */
const ofOneTenant = machines.filter(({ tenants }) => tenants.tenant === 'required').map(({ key }) => key);

/** `run`, `executions`, `describe`, `history`, `redrive`, `stop`. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function addExecutions(program: Command, session: () => Session): void {
  program
    .command('run')
    .description('start a state machine now and watch it')
    .argument('<machine>', machines.map(({ key, summary }) => `${key} (${summary})`).join(' or '))
    .option('--tenant <tenant>', `the tenant (${ofOneTenant.join(', ')})`)
    .option('--input <json>', 'input as JSON, or @file')
    .option('--name <name>', 'execution name; default: a new one')
    .option('--catch-up <from..to>', 'nightly-training: run the nights of these dates, one after the other')
    .option('--no-wait', 'return as soon as it is started (AWS, or a running "epsilon start", continues it)')
    .option('--retry-scale <0-1>', 'factor on the pauses of retries')
    .action((machine: string, options: RunOptions) => runMachine(session(), machine, options));
  program
    .command('executions')
    .description('list executions, newest first')
    .option('--machine <machine>', 'only of this state machine')
    .option('--status <status>', 'only this status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED')
    .option('--limit <n>', 'how many', '20')
    .action((options: { machine?: string; status?: string; limit: string }) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const filter = filterOf(options);
        // On AWS the listing itself refuses what is not deployed.
        if (filter.machine !== undefined && session().target.kind === 'local')
          await requireMachine(control, filter.machine);
        const executions = await control.workflows.list(filter);
        print(session().output, { executions }, () =>
          table(
            session().output,
            ['MACHINE', 'NAME', 'STATUS', 'STARTED', 'STOPPED', 'REDRIVES'],
            executions.map((one) => [
              one.machine,
              one.name,
              one.status,
              toTheSecond(one.startDate),
              toTheSecond(one.stopDate),
              one.redriveCount,
            ]),
          ),
        );
      }),
    );
  program
    .command('describe')
    .description('show one execution in full: the tenants of a night, the attempts of a run')
    .argument('<execution>', 'name, machine/name or ARN')
    .action((given: string) =>
      withControl(session(), { mode: 'read' }, async (control) => {
        const execution = await findExecution(session(), control, given);
        const description = await describeExecution(control, execution);
        print(session().output, { ...description }, () =>
          describeText(session().output.columns, description),
        );
      }),
    );
  program
    .command('history')
    .description('print the history of an execution, one event a line')
    .argument('<execution>')
    .action((given: string) => history(session(), given));
  program
    .command('redrive')
    .description('continue a failed execution from where it failed, and watch it')
    .argument('<execution>')
    .option('--no-wait', 'return as soon as it runs again')
    .option('--retry-scale <0-1>', 'factor on the pauses of retries')
    .action((given: string, options: { wait: boolean; retryScale?: string }) =>
      withControl(
        session(),
        { mode: 'write', schedules: false, ...scaleOf(session().target, options.retryScale) },
        async (control) => {
          const execution = await findExecution(session(), control, given);
          const { executionArn } = execution;
          await redrive(session(), control, execution);
          await noteOldSettings(session(), control, execution);
          if (!options.wait) print(session().output, { executionArn }, () => `Redriven ${executionArn}`);
          else
            await conclude(
              session(),
              control,
              await watch(session(), control, executionArn, Number(options.retryScale ?? 1)),
            );
        },
      ),
    );
  program
    .command('stop')
    .description('stop an execution and cancel its jobs')
    .argument('<execution>')
    .option('--reason <text>', 'why', 'stopped by an operator')
    .action((given: string, { reason }: { reason: string }) => stop(session(), given, reason));
}
