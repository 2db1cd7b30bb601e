import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { type Attempt, type AttemptStatus, terminalStatuses } from '../../training/run.ts';
import { settleAttempt } from './settle-attempt.ts';

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
  // Its job is over; nothing waits for its answer. A second job is seen off.
  const { strayJobId = null } = current ?? {};
  const left = await ports.runs.changeAttempt(
    attempt,
    { ...(strayJobId === null ? { settledAt: now } : { abandonedAt: now }), taskToken: null },
    { status: terminal, maxRedriveCount, strayJobId },
  );
  return left.changed && strayJobId !== null ? left.attempt : undefined;
}

/**
 * Opens an attempt again whose job turned out to be alive although the attempt was given up: the next pass of the reconciler,
 * which has the right to, stops it. False when the attempt ended otherwise, or has been opened for this job already.
 */
async function reopenToStop(
  ports: Pick<Ports, 'runs' | 'clock'>,
  attempt: Attempt,
  jobId: string,
): Promise<boolean> {
  const { changed } = await ports.runs.changeAttempt(
    attempt,
    { jobId, abandonedAt: isoNow(ports.clock), settledAt: null },
    { status: concluded, jobId: attempt.jobId ?? null },
  );
  return changed;
}

/**
 * Notes a second live job of an attempt: the next pass of the reconciler stops it. One that is closed is opened again for that; the
 * end of one that is over is told before. False when the attempt went on meanwhile.
 */
async function noteStray(
  ports: Pick<Ports, 'runs' | 'clock'>,
  attempt: Attempt,
  strayJobId: string,
): Promise<boolean> {
  const { jobId = null, status, tokenDigest } = attempt;
  const isOver = terminalStatuses.has(status);
  const changes = isOver ? { abandonedAt: isoNow(ports.clock), settledAt: null } : {};
  const expect = isOver ? { status: [status], tokenDigest } : { status: open };
  return (await ports.runs.changeAttempt(attempt, { ...changes, strayJobId }, { ...expect, jobId })).changed;
}

/**
 * Notes a live job of an attempt that was given up, or that has another job: nobody waits for it. True when the next pass of the
 * reconciler stops it.
 */
export async function noteUnwanted(
  ports: Pick<Ports, 'runs' | 'callbacks' | 'imageRecords' | 'clock' | 'log' | 'metrics'>,
  attempt: Attempt,
  jobId: string,
): Promise<boolean> {
  const isOver = terminalStatuses.has(attempt.status);
  const isSecond = attempt.jobId !== undefined && attempt.jobId !== jobId;
  if (!isSecond) return isOver && reopenToStop(ports, attempt, jobId);
  if (isOver) await settleAttempt(ports, attempt);
  return noteStray(ports, attempt, jobId);
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
  const { jobName, jobId, submitBegunAt, tokenDigest, status } = attempt;
  await stopStray(ports, attempt);
  const runner = ports.jobs[attempt.backend];
  const found = jobId ?? (await runner?.find(jobName))?.jobId;
  // A process that began to submit may still be about to, whatever the backend's lists show.
  if (found === undefined && withinGrace(ports, submitBegunAt)) return false;
  if (found !== undefined && concluded.includes(status))
    await runner?.cancel(
      { jobName, jobId: found },
      attempt.error === 'JobCancelled' ? (attempt.cause ?? '') : 'it was given up',
    );
  const expect = { status: terminal, tokenDigest, jobId: jobId ?? null, strayJobId: null };
  const { changed } = await ports.runs.changeAttempt(attempt, { settledAt: isoNow(ports.clock) }, expect);
  return changed;
}
