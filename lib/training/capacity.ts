import type { Attempt, Capacity } from './run.ts';

/** What the choice of capacity depends on. */
export interface CapacityPolicy {
  readonly spotAllowed: boolean;
  /** Preemptions (or failures to be placed) of a stage after which it runs on on-demand capacity. */
  readonly preemptionsBeforeOnDemand: number;
}

/** Spot first; on-demand once the stage has been preempted, or could not be placed, often enough. */
export function chooseCapacity(earlier: readonly Attempt[], policy: CapacityPolicy): Capacity {
  if (!policy.spotAllowed) return 'on-demand';
  const preempted = earlier.filter((attempt) => attempt.status === 'preempted').length;
  return preempted >= policy.preemptionsBeforeOnDemand ? 'on-demand' : 'spot';
}
