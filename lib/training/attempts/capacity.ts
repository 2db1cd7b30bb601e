import type { Attempt, Capacity, CapacityBecause } from '../run.ts';

/** What the choice of capacity depends on beside the stage's earlier attempts. */
export interface CapacityPolicy {
  readonly spotAllowed: boolean;
  /** Reclaims of a stage's spot capacity after which it runs on on-demand capacity. */
  readonly preemptionsBeforeOnDemand: number;
  /** The night has time to spare: reclaims alone are no reason to leave spot. */
  readonly hasTime?: boolean;
  /** The night has no time left to find out once more that spot is missing, which the run's stage before has found out. */
  readonly spotMissing?: boolean;
}

/** What a run's deadline says of its next attempt: before `spotUntil` (milliseconds) there is time, afterwards none to lose. */
export function hurryOf(
  spotUntil: number | undefined,
  newest: Pick<Attempt, 'capacityBecause'> | undefined,
  now: number,
): Pick<CapacityPolicy, 'hasTime' | 'spotMissing'> {
  if (spotUntil === undefined) return {};
  const hasTime = now < spotUntil;
  return { hasTime, spotMissing: !hasTime && newest?.capacityBecause === 'spot-unplaceable' };
}

/** A choice, as an attempt records it. */
export interface CapacityChoice {
  readonly capacity: Capacity;
  readonly capacityBecause: CapacityBecause;
}

/** Retries of a stage that the platform pays for: MaxAttempts of the JobPreempted retrier in statemachines/. */
export const platformRetries = 10;

/** The last tries of that budget are not risked on spot capacity. */
export const lastTriesOnDemand = 2;

/** So many times as often a stage may be reclaimed in a night that has time to spare. */
const reclaimsFactor = 2;

/** The platform's fault: what spends the platform's retries and never the user's. */
function isPlatformFault({ status }: Attempt): boolean {
  return status === 'preempted' || status === 'lost';
}

function wasUnplaceable(attempt: Attempt): boolean {
  return attempt.status === 'preempted' && attempt.reason === 'unplaceable';
}

/** Spot capacity that was taken away; a job that is lost on it looks the same as one reclaimed without notice. */
function wasReclaimed(attempt: Attempt): boolean {
  return attempt.capacity === 'spot' && isPlatformFault(attempt) && !wasUnplaceable(attempt);
}

/** Platform faults of the newest try of the execution: a redrive resets its retriers. */
function retriesSpent(earlier: readonly Attempt[]): number {
  const newest = Math.max(0, ...earlier.map((attempt) => attempt.redriveCount));
  return earlier.filter((attempt) => attempt.redriveCount === newest && isPlatformFault(attempt)).length;
}

/**
 * Decides the capacity of a stage's next attempt from its earlier ones, oldest first. Spot first; on-demand after enough
 * reclaims (twice as many while the night has time to spare), for the last tries, and at once when spot could not be placed in time. When on-demand could not be placed
 * either, the other kind is tried again: whichever comes back first. Failures of the job itself decide nothing.
 */
export function chooseCapacity(earlier: readonly Attempt[], policy: CapacityPolicy): CapacityChoice {
  const onDemand = (capacityBecause: CapacityBecause): CapacityChoice => ({
    capacity: 'on-demand',
    capacityBecause,
  });
  if (!policy.spotAllowed) return onDemand('spot-forbidden');
  const reclaims = earlier.filter(wasReclaimed).length;
  if (reclaims >= policy.preemptionsBeforeOnDemand * (policy.hasTime ? reclaimsFactor : 1))
    return onDemand('preempted');
  // The first try spends no retry, so try n + 1 is made after n faults.
  if (retriesSpent(earlier) > platformRetries - lastTriesOnDemand) return onDemand('last-tries');
  const unplaced = earlier.findLast(wasUnplaceable);
  if (!unplaced)
    return policy.spotMissing
      ? onDemand('spot-unplaceable')
      : { capacity: 'spot', capacityBecause: 'spot-first' };
  return unplaced.capacity === 'spot'
    ? onDemand('spot-unplaceable')
    : { capacity: 'spot', capacityBecause: 'on-demand-unplaceable' };
}
