import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { ExecutionSummary } from '../../lib/ports/workflows.ts';
import { nightlyTraining } from '../../lib/training/machines.ts';
import { type Occurrences, parseSchedule } from '../../local/schedule/expression.ts';
import { closeGates } from '../quality/look-at-data.ts';
import type { Session } from '../session.ts';

const machine = nightlyTraining.key;

function scheduledTimeOf(execution: ExecutionSummary & { readonly input?: unknown }): string {
  const { scheduledTime } = (execution.input ?? {}) as { scheduledTime?: string };
  return scheduledTime ?? execution.startDate;
}

/**
 * The scheduled time of the night to run: the latest of the calendar that no night on record has (`taken`: milliseconds since the epoch). One that is to come stays the
 * schedule's, which would find it done.
 */
export function scheduledTimeToRun(
  occurrences: Pick<Occurrences, 'previous'>,
  now: number,
  taken: ReadonlySet<number>,
): string {
  let at = occurrences.previous(new Date(now)) ?? new Date(now);
  while (taken.has(at.getTime())) {
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
  // As instants: a schedule writes them without the milliseconds that a Date has.
  const taken = new Set(details.map((night) => Date.parse(scheduledTimeOf(night))));
  return { scheduledTime: scheduledTimeToRun(occurrences, session.clock.now(), taken) };
}

/** Begins the demo's night, or goes on with the one that was interrupted. */
export async function beginNight(
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
