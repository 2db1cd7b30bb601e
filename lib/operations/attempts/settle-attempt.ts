import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AttemptExpectation, AttemptKey } from '../../ports/run-store.ts';
import { isDrivenByAirflow } from '../../training/airflow-run.ts';
import type { JobObservation } from '../../training/attempts/job.ts';
import { outcomeOfJob } from '../../training/attempts/outcome.ts';
import { type Attempt, type AttemptStatus, terminalStatuses } from '../../training/run.ts';
import { noteImage } from './note-image.ts';

type Needed = Pick<Ports, 'runs' | 'callbacks' | 'imageRecords' | 'clock' | 'log' | 'metrics'>;

const open: readonly AttemptStatus[] = ['intent', 'submitted', 'running'];

/** What the state machine gets as the result of a stage. */
function stageOutputOf(attempt: Attempt): Record<string, unknown> {
  return {
    stage: attempt.stage,
    attempt: attempt.attempt,
    outputUri: attempt.outputUri,
    capacity: attempt.capacity,
    result: attempt.result ?? {},
  };
}

/** The optional facts of an observation that an attempt keeps. */
function factsOf(observed: JobObservation): Partial<Attempt> {
  return {
    jobId: observed.jobId,
    ...(observed.capacity ? { capacity: observed.capacity } : {}),
    ...(observed.image ? { image: observed.image } : {}),
    ...(observed.startedAt ? { startedAt: observed.startedAt } : {}),
  };
}

/** What is known of who reports of a job: whose it is, and which backends that reporter can know of. */
export type Origin = Pick<AttemptExpectation, 'tenantId' | 'backends'>;

/** Whether an attempt is one that this reporter can know of. */
export function isFrom(attempt: Attempt, { tenantId, backends }: Origin): boolean {
  return (
    (tenantId === undefined || attempt.tenantId === tenantId) &&
    (backends === undefined || backends.includes(attempt.backend))
  );
}

/** The attempt as it stands, and whether this very observation ended it. */
export interface RecordedOutcome {
  /** Undefined when there is no such attempt, or its job is another one. */
  readonly attempt: Attempt | undefined;
  readonly recorded: boolean;
}

/**
 * Records a finished job on its attempt, without reading it first. Statuses only move forward: when the attempt is terminal
 * already, the record stays as it is and is returned.
 */
async function recordOutcome(
  ports: Needed,
  key: AttemptKey,
  observed: JobObservation,
  origin: Origin = {},
): Promise<RecordedOutcome> {
  const state = observed.state === 'succeeded' ? 'succeeded' : 'failed';
  const outcome = outcomeOfJob({ ...observed, state });
  const changes = {
    ...factsOf(observed),
    status: outcome.status,
    finishedAt: observed.finishedAt ?? isoNow(ports.clock),
    ...(observed.exitCode === undefined ? {} : { exitCode: observed.exitCode }),
    ...(observed.reason ? { reason: observed.reason } : {}),
    ...(observed.result ? { result: observed.result } : {}),
    ...(outcome.error ? { error: outcome.error, cause: outcome.cause ?? '' } : {}),
  };
  const expect = { status: open, jobName: observed.jobName, ofJob: observed.jobId, ...origin };
  const { changed, attempt } = await ports.runs.changeAttempt(key, changes, expect, {
    withToken: true,
  });
  if (changed) ports.metrics.count('AttemptsEnded', 1);
  if (changed && outcome.status === 'preempted') ports.metrics.count('AttemptsPreempted', 1);
  const isIts = attempt?.jobName === observed.jobName && isFrom(attempt, origin);
  return { attempt: isIts ? attempt : undefined, recorded: changed };
}

async function answer(ports: Needed, attempt: Attempt, taskToken: string): Promise<'delivered' | 'gone'> {
  if (attempt.status === 'succeeded') return ports.callbacks.succeed(taskToken, stageOutputOf(attempt));
  return ports.callbacks.fail(taskToken, { error: attempt.error ?? 'JobFailed', cause: attempt.cause ?? '' });
}

/** Whether an attempt is over and its outcome not answered yet. One that was given up is open for its job's sake, which the reconciler sees off. */
function isUnsettled({ status, settledAt, abandonedAt }: Attempt): boolean {
  return terminalStatuses.has(status) && settledAt === undefined && abandonedAt === undefined;
}

/**
 * Answers the state machine with the outcome of a terminal attempt and marks it as settled. Safe to repeat: a used token is `gone`, which is
 * counted. When another entry replaced the token meanwhile, the newer token is answered too. What the end says of the image is
 * noted first, so that the next run that begins knows it.
 */
export async function settleAttempt(ports: Needed, attempt: Attempt): Promise<void> {
  if (attempt.settledAt === undefined) await noteImage(ports, attempt);
  let current: Attempt | undefined = attempt;
  while (current && isUnsettled(current)) {
    const taskToken: string | undefined = current.taskToken;
    // Airflow reports the end itself and waits for no answer.
    if (taskToken !== undefined && !isDrivenByAirflow(current)) {
      const outcome = await answer(ports, current, taskToken);
      ports.metrics.count(outcome === 'delivered' ? 'CallbacksDelivered' : 'CallbacksGone', 1);
    }
    current = await markSettled(ports, current);
  }
}

/**
 * Marks the attempt as settled, or keeps it open for the sake of a second job; returns it as it is now when it was entered with
 * another token, or got a second job, since it was read.
 */
async function markSettled(ports: Needed, attempt: Attempt): Promise<Attempt | undefined> {
  const { tokenDigest, strayJobId = null } = attempt;
  const now = isoNow(ports.clock);
  const changes = strayJobId === null ? { settledAt: now } : { abandonedAt: now };
  const { changed, attempt: current } = await ports.runs.changeAttempt(
    attempt,
    { ...changes, taskToken: null },
    { tokenDigest, strayJobId },
    { withToken: true },
  );
  return changed ? undefined : current;
}

/**
 * Notes that a job is pending or running: monotonic, never from terminal back, and never of another job than the one on record. Gives the
 * attempt as it is then, with its token.
 */
export async function recordProgress(
  ports: Needed,
  attempt: Attempt,
  observed: JobObservation,
): Promise<Attempt> {
  const { status: before } = attempt;
  const isNoNews = before === 'running' || (before === 'submitted' && observed.state === 'pending');
  if (isNoNews || terminalStatuses.has(before)) return attempt;
  const earlier: readonly AttemptStatus[] =
    observed.state === 'running' ? ['intent', 'submitted'] : ['intent'];
  const status = observed.state === 'running' ? 'running' : 'submitted';
  const { changed, attempt: current } = await ports.runs.changeAttempt(
    attempt,
    { ...factsOf(observed), status },
    { status: earlier, ofJob: observed.jobId },
    { withToken: true },
  );
  if (changed && current && status === 'running')
    await noteImage(ports, { ...current, startedAt: current.startedAt ?? isoNow(ports.clock) });
  return current ?? attempt;
}

/** What was done with an observation of a finished job. */
export type Settlement = 'settled' | 'repeated' | 'unknown';

/** Records the outcome of a finished job and settles its attempt: `repeated` when the attempt was settled before, `unknown` when there is none. */
export async function recordAndSettle(
  ports: Needed,
  key: AttemptKey,
  observed: JobObservation,
  origin: Origin = {},
): Promise<Settlement> {
  const { attempt, recorded } = await recordOutcome(ports, key, observed, origin);
  // Open still: it was another job of this name.
  if (!attempt || !terminalStatuses.has(attempt.status)) return 'unknown';
  if (!recorded && !isUnsettled(attempt)) return 'repeated';
  await settleAttempt(ports, attempt);
  return 'settled';
}
