import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { findMachine } from '../../lib/machines/catalogue.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../../lib/ports/workflows.ts';
import { checkLogicalDate } from '../../lib/training/nights/logical-date.ts';
import { nightDate } from '../../lib/training/nights/night-input.ts';
import { withHints } from '../hints.ts';
import { causeText } from '../output.ts';
import { print } from '../print.ts';
import { command, type Session } from '../session.ts';
import { prepareStart, type StartOptions } from '../start-input.ts';
import { openExecution } from '../watch/attach.ts';
import { watch } from '../watch/watch.ts';
import { emptyNightText } from './night.ts';

/** Most nights that one command catches up with: a month of them. */
const mostNights = 31;

/**
 * Dates of `FROM..TO`, both included, oldest first. Throws `USAGE` for what is no range or too long a one,
 * `DATE_OUT_OF_RANGE` for days that the calendar does not have or that have not begun at `now` (milliseconds).
 */
export function datesOf(range: string, now: number): string[] {
  const [from = '', to = '', ...rest] = range.split('..');
  if (from === '' || to === '' || rest.length > 0)
    throw new EpsilonError(
      'USAGE',
      `--catch-up ${range} is no range of dates; write the first and the last: --catch-up 2026-11-20..2026-11-24`,
    );
  checkLogicalDate(from);
  nightDate({ logicalDate: to, trigger: 'manual' }, now);
  if (from > to) throw new EpsilonError('USAGE', `--catch-up ${range} ends before it begins.`);
  const dates: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86_400_000)
    dates.push(new Date(at).toISOString().slice(0, 10));
  if (dates.length <= mostNights) return dates;
  throw new EpsilonError(
    'USAGE',
    `--catch-up ${range} is ${dates.length} nights; at most ${mostNights} are caught up with by one command.`,
  );
}

/** What `run --catch-up` was asked for. */
export interface CatchUpOptions extends StartOptions {
  readonly catchUp: string;
  readonly wait: boolean;
}

function checkOptions(session: Session, machine: string, options: CatchUpOptions): void {
  const refuse = (why: string) => {
    throw new EpsilonError('USAGE', `--catch-up ${why}`);
  };
  if (findMachine(machine)?.outcome !== 'night')
    refuse(
      `is for nights: ${command(session, `run nightly-training --catch-up ${options.catchUp}`)}; ${machine} has none.`,
    );
  if (options.name !== undefined)
    refuse('starts several executions, each with a name of its own: leave out --name.');
  if (!options.wait) refuse('trains one night after the other: leave out --no-wait.');
}

/** A night that was caught up with. */
interface CaughtUp {
  readonly logicalDate: string;
  readonly execution: ExecutionDetail;
}

async function oneNight(
  session: Session,
  control: OperatorApi,
  request: {
    readonly machine: string;
    readonly options: CatchUpOptions;
    readonly retryScale: number | undefined;
  },
  logicalDate: string,
): Promise<CaughtUp> {
  const { machine, options, retryScale } = request;
  const start = prepareStart(session, machine, options);
  const input = { ...start.input, logicalDate };
  const open = await openExecution(control, machine, { input }, {}, session.clock.now());
  if (open && !session.output.json)
    session.output.write(`${machine}/${open.name} runs already; going on with it.\n`);
  const { executionArn } =
    open ?? (await withHints(session, () => control.workflows.start({ machine, ...start, input })));
  const { execution } = await watch(session, control, executionArn, retryScale);
  const { status, error, cause } = execution;
  const reason = error === undefined ? '' : `: ${error}: ${causeText(cause)}`;
  if (!session.output.json) {
    const nobody = await emptyNightText(control, execution);
    session.output.write(`${nobody || `${logicalDate}: ${execution.name} ${status}${reason}`}\n`);
  }
  return { logicalDate, execution };
}

/**
 * Trains the nights of a range of dates that were missed, one after the other and oldest first; tenants that have a model of
 * a date already are not trained for it again. A night that fails does not keep the later ones; in the end `RUN_FAILED` names
 * all that failed. Throws `USAGE` and `DATE_OUT_OF_RANGE` before anything begins.
 */
export async function catchUp(
  session: Session,
  control: OperatorApi,
  machine: string,
  options: CatchUpOptions & { readonly scale?: number | undefined },
): Promise<void> {
  checkOptions(session, machine, options);
  const dates = datesOf(options.catchUp, session.clock.now());
  const nights: CaughtUp[] = [];
  for (const [index, logicalDate] of dates.entries()) {
    if (!session.output.json)
      session.output.write(`Night of ${logicalDate} (${index + 1} of ${dates.length})\n`);
    nights.push(
      await oneNight(session, control, { machine, options, retryScale: options.scale }, logicalDate),
    );
  }
  const failed = nights.filter(({ execution }) => execution.status !== 'SUCCEEDED');
  print(
    session.output,
    { nights },
    () => `${nights.length - failed.length} of ${nights.length} nights succeeded.`,
  );
  if (failed.length === 0) return;
  const again = failed.map(({ execution }) =>
    command(session, `redrive ${execution.machine}/${execution.name}`),
  );
  throw new EpsilonError(
    'RUN_FAILED',
    `${failed.length} of ${nights.length} nights failed (${failed.map(({ logicalDate }) => logicalDate).join(', ')}). Fix the cause, then run:\n    ${again.join('\n    ')}`,
    { exitCode: exitCodes.runFailed },
  );
}
