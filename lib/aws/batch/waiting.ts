/** How long a job may wait in RUNNABLE before it counts as not placed. */
export interface WaitingLimits {
  /** Milliseconds since it was submitted. */
  readonly waitMs: number;
  /** Milliseconds its queue must have been seen without any job at work, when Batch gives no reason. */
  readonly idleMs: number;
}

/** What is needed of a waiting job; times are epoch milliseconds. */
export interface WaitingJob {
  readonly status?: string | undefined;
  readonly statusReason?: string | undefined;
  readonly createdAt?: number | undefined;
}

/** `ask`: whether its queue is busy decides. */
export type WaitingVerdict = 'waiting' | 'unplaceable' | 'ask';

/**
 * Whether a job that waits will not be placed. Batch gives the job at the head of a blocked queue a reason that begins with
 * CAPACITY or MISCONFIGURATION; jobs behind others have none, and waiting behind our own jobs is no failure to be placed.
 */
export function waitingVerdict(job: WaitingJob, now: number, limits: WaitingLimits): WaitingVerdict {
  if (job.status !== 'RUNNABLE' || job.createdAt === undefined) return 'waiting';
  if (now - job.createdAt < limits.waitMs) return 'waiting';
  return /^(CAPACITY|MISCONFIGURATION):/.test(job.statusReason ?? '') ? 'unplaceable' : 'ask';
}

/** Since when each queue has been seen without a job at work; a queue that is busy again begins anew. */
export class IdleQueues {
  readonly #since = new Map<string, number>();

  /** Notes what was seen and tells for how long, in milliseconds, the queue has been idle. */
  note(queue: string, busy: boolean, now: number): number {
    if (busy) {
      this.#since.delete(queue);
      return 0;
    }
    const since = this.#since.get(queue) ?? now;
    this.#since.set(queue, since);
    return now - since;
  }
}
