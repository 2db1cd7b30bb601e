/** What is known of one queue (a backend's spot or on-demand capacity) when a pending job is looked at. */
export interface QueueFacts {
  /** vCPU that the queue may use; 0 when that is not configured. */
  readonly vcpus: number;
  /** vCPU of Epsilon's jobs that run in it. */
  readonly runningVcpus: number;
  /** vCPU of Epsilon's jobs that wait in it. */
  readonly pendingVcpus?: number;
  /** When a job of Epsilon last started in it, milliseconds. */
  readonly lastStartAt?: number;
}

/** A job that its backend has accepted and not started. */
export interface PendingJob {
  /** Milliseconds. */
  readonly since: number;
  readonly vcpus: number;
  /** Until when it may wait for spot capacity without putting a deadline at risk, milliseconds; only of a job on spot. */
  readonly spotUntil?: number;
}

/** How long a job may wait. */
export interface PlacementLimit {
  readonly now: number;
  readonly limitSeconds: number;
}

/**
 * `waiting`: not long enough to say, or there is time to wait for spot. `behind-our-own`: it is its turn that is missing, not
 * capacity.
 */
export type Placement = 'waiting' | 'behind-our-own' | 'unplaceable';

/** Limits after which a queue that is not full no longer counts as moving, however slowly it places others. */
export const trickleWaitFactor = 6;

/**
 * Whether a pending job cannot be placed. It waits behind our own jobs as long as they fill the queue, or (in a queue that
 * is not full) as long as the queue still starts some of them: moving it to dearer capacity would then gain nothing that
 * the queue does not give. A queue of unknown size counts as full while any job of Epsilon runs in it.
 */
export function placementOf(job: PendingJob, queue: QueueFacts, limit: PlacementLimit): Placement {
  const limitMs = limit.limitSeconds * 1000;
  const waited = limit.now - job.since;
  if (waited < limitMs || limit.now < (job.spotUntil ?? 0)) return 'waiting';
  const full =
    queue.vcpus === 0
      ? queue.runningVcpus > 0
      : queue.runningVcpus > 0 && queue.runningVcpus + job.vcpus > queue.vcpus;
  if (full) return 'behind-our-own';
  const moving = queue.lastStartAt !== undefined && limit.now - queue.lastStartAt < limitMs;
  return moving && waited < limitMs * trickleWaitFactor ? 'behind-our-own' : 'unplaceable';
}

/** vCPU that a queue has left beside what runs and what waits in it; unlimited while its size is not configured. */
function roomOf({ vcpus, runningVcpus, pendingVcpus = 0 }: QueueFacts): number {
  return vcpus === 0 ? Number.POSITIVE_INFINITY : vcpus - runningVcpus - pendingVcpus;
}

/**
 * Of the jobs that a queue did not place, those that the other one has room for, the longest waiting first. The others stay
 * where they are: in a full queue they would wait as long, with a retry spent, and miss the first capacity coming back.
 * Where several passes (`shares`) look at the same room side by side, each takes its part; one job is never too large for that.
 */
export function movable<T extends PendingJob>(jobs: readonly T[], to: QueueFacts, shares = 1): T[] {
  let room = roomOf(to) / shares;
  return [...jobs]
    .sort((a, b) => a.since - b.since)
    .filter(({ vcpus }, index) => {
      if (vcpus > room && !(index === 0 && vcpus <= roomOf(to))) return false;
      room -= vcpus;
      return true;
    });
}

/**
 * Whether a job that left spot for want of it, and now waits for on-demand, does better to go back: it has waited its time,
 * and spot has room and has started jobs since it left.
 */
export function mayGoBack(job: PendingJob, spot: QueueFacts, limit: PlacementLimit): boolean {
  const waited = limit.now - job.since >= limit.limitSeconds * 1000;
  const moving = spot.lastStartAt !== undefined && spot.lastStartAt > job.since;
  return waited && moving && roomOf(spot) >= job.vcpus;
}
