import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AttemptKey } from '../../ports/run-store.ts';
import { type Attempt, type AttemptStatus, terminalStatuses } from '../../training/run.ts';

type Needed = Pick<Ports, 'runs' | 'jobs' | 'clock' | 'config'>;

const open: readonly AttemptStatus[] = ['intent', 'submitted', 'running'];
const terminal = [...terminalStatuses];

/** Ends that are concluded without the job's own word: the job may be alive all the same. */
const concluded: readonly AttemptStatus[] = ['cancelled', 'lost'];

/**
 * Gives up an attempt whose execution ended with this redrive count: cancelled, and open until its job is seen off. One whose job
 * is over already is closed. Nothing happens to one that a later try of the execution has adopted. Gives what is to be seen off.
 */
export async function abandonAttempt(
  ports: Pick<Ports, 'runs' | 'clock'>,
  attempt: Attempt,
  { maxRedriveCount, cause }: { readonly maxRedriveCount: number; readonly cause: string },
): Promise<Attempt | undefined> {
  const now = isoNow(ports.clock);
  const cancelled = {
    status: 'cancelled',
    finishedAt: now,
    error: 'JobCancelled',
    cause,
  } as const;
  const { changed, attempt: current } = await ports.runs.changeAttempt(
    attempt,
    { ...cancelled, abandonedAt: now, taskToken: null },
    { status: open, maxRedriveCount },
  );
  if (changed) return current;
  if (current?.abandonedAt !== undefined) return current.settledAt === undefined ? current : undefined;
  // Its job is over; nothing waits for its answer.
  await ports.runs.changeAttempt(
    attempt,
    { settledAt: now, taskToken: null },
    { status: terminal, maxRedriveCount },
  );
  return undefined;
}

/**
 * Opens an attempt again whose job turned out to be alive although the attempt was given up: the next pass of the reconciler,
 * which has the right to, stops it. False when the attempt ended otherwise, or has been opened for this job already.
 */
export async function reopenToStop(
  ports: Pick<Ports, 'runs' | 'clock'>,
  key: AttemptKey,
  jobId: string,
): Promise<boolean> {
  const { changed } = await ports.runs.changeAttempt(
    key,
    { jobId, abandonedAt: isoNow(ports.clock), settledAt: null },
    { status: concluded },
  );
  return changed;
}

/** Notes a second live job of an open attempt: the next pass of the reconciler stops it. False when the attempt went on meanwhile. */
export async function noteStray(
  ports: Pick<Ports, 'runs'>,
  attempt: Attempt,
  strayJobId: string,
): Promise<boolean> {
  const expect = { status: open, jobId: attempt.jobId ?? null };
  return (await ports.runs.changeAttempt(attempt, { strayJobId }, expect)).changed;
}

/** Stops the second job of an attempt that has one. */
export async function stopStray(ports: Pick<Ports, 'runs' | 'jobs'>, attempt: Attempt): Promise<void> {
  const { jobName, strayJobId } = attempt;
  if (strayJobId === undefined) return;
  await ports.jobs[attempt.backend]?.cancel({ jobName, jobId: strayJobId }, 'a second job of its name');
  await ports.runs.changeAttempt(attempt, { strayJobId: null }, { status: [...open, ...terminal] });
}

/** Whether so little time has passed since an instant that lists of a backend need not show what happened then. */
export function withinGrace(
  { clock, config }: Pick<Ports, 'clock' | 'config'>,
  since: string | undefined,
): boolean {
  if (since === undefined) return false;
  return clock.now() - Date.parse(since) < config.training.lookupGraceSeconds * 1000;
}

/**
 * Stops the job of an attempt that was given up, and closes the attempt: at once when the job is known, otherwise when it was found
 * or cannot show up any more. True when the attempt is closed.
 */
export async function seeOff(ports: Needed, attempt: Attempt): Promise<boolean> {
  const { jobName, jobId, submitBegunAt, tokenDigest } = attempt;
  const runner = ports.jobs[attempt.backend];
  const found = jobId ?? (await runner?.find(jobName))?.jobId;
  // A process that began to submit may still be about to, whatever the backend's lists show.
  if (found === undefined && withinGrace(ports, submitBegunAt)) return false;
  if (found !== undefined)
    await runner?.cancel(
      { jobName, jobId: found },
      attempt.error === 'JobCancelled' ? (attempt.cause ?? '') : 'it was given up',
    );
  const expect = { status: concluded, tokenDigest, jobId: jobId ?? null };
  const { changed } = await ports.runs.changeAttempt(attempt, { settledAt: isoNow(ports.clock) }, expect);
  return changed;
}
