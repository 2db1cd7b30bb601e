import { Throttled } from '../../errors/run-errors.ts';
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

type Noting = Pick<Ports, 'runs' | 'callbacks' | 'imageRecords' | 'clock' | 'log' | 'metrics'>;

/** Whether the note was taken, and the attempt as it is now. */
type Noted = Awaited<ReturnType<Ports['runs']['changeAttempt']>>;

/**
 * Opens an attempt again whose job turned out to be alive although the attempt was given up: the next pass of the reconciler,
 * which has the right to, stops it.
 */
function reopenToStop({ runs, clock }: Noting, attempt: Attempt, jobId: string): Promise<Noted> {
  const changes = { jobId, abandonedAt: isoNow(clock), settledAt: null };
  return runs.changeAttempt(attempt, changes, { jobId: attempt.jobId ?? null }, { withToken: true });
}

/**
 * Notes a second live job of an attempt: the next pass of the reconciler stops it. One that is closed is opened again for that; the
 * end of one that is over is told before. One job is noted at a time.
 */
async function noteStray(ports: Noting, attempt: Attempt, strayJobId: string): Promise<Noted> {
  const { jobName, tokenDigest, status, strayJobId: other } = attempt;
  if (other !== undefined && other !== strayJobId)
    throw new Throttled(`${jobName} has another second job (${other}), which is stopped first; try again.`);
  const isOver = terminalStatuses.has(status);
  if (isOver) await settleAttempt(ports, attempt);
  const changes = isOver ? { abandonedAt: isoNow(ports.clock), settledAt: null } : {};
  return ports.runs.changeAttempt(
    attempt,
    { ...changes, strayJobId },
    { ...(isOver ? { tokenDigest } : { status: open }), strayJobId: other ?? null },
    { withToken: true },
  );
}

/**
 * Notes a live job of an attempt that was given up, or that has another job: nobody waits for it. Decided again when the attempt
 * goes on meanwhile. True when the next pass of the reconciler stops the job; false when somebody waits for it, or its end is
 * known already.
 */
export async function noteUnwanted(ports: Noting, attempt: Attempt, jobId: string): Promise<boolean> {
  let current: Attempt | undefined = attempt;
  while (current) {
    const isSecond: boolean = current.jobId !== undefined && current.jobId !== jobId;
    if (!isSecond && !concluded.includes(current.status)) return false;
    const noted: Noted = isSecond
      ? await noteStray(ports, current, jobId)
      : await reopenToStop(ports, current, jobId);
    if (noted.changed) return true;
    current = noted.attempt;
  }
  return false;
}

/** Stops the second job of an attempt that has one; gives the attempt without it. */
export async function stopStray(ports: Pick<Ports, 'runs' | 'jobs'>, attempt: Attempt): Promise<Attempt> {
  const { strayJobId, ...alone } = attempt;
  if (strayJobId === undefined) return attempt;
  const { jobName } = attempt;
  await ports.jobs[attempt.backend]?.cancel({ jobName, jobId: strayJobId }, 'a second job of its name');
  await ports.runs.changeAttempt(attempt, { strayJobId: null }, { strayJobId });
  return alone;
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
  const expect = { tokenDigest, jobId: jobId ?? null, strayJobId: null };
  const { changed } = await ports.runs.changeAttempt(attempt, { settledAt: isoNow(ports.clock) }, expect);
  return changed;
}
