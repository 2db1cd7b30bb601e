import type { V1Pod } from '@kubernetes/client-node';

/** Since when the scheduler has found no node for a pod; undefined when it has one, or was not asked yet. */
export function unschedulableSince(pod: V1Pod | undefined): number | undefined {
  const condition = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (condition?.status !== 'False' || condition.reason !== 'Unschedulable') return undefined;
  // The scheduler keeps the time of the first failure while it goes on failing.
  return condition.lastTransitionTime?.getTime() ?? pod?.metadata?.creationTimestamp?.getTime();
}

/** What the judgement about a waiting job rests on. */
export interface Waiting {
  readonly since: number;
  readonly now: number;
  /** Milliseconds that a node may take to come. */
  readonly limitMs: number;
  /** True when jobs of ours have nodes of this capacity: then this one waits behind them. */
  readonly othersPlaced: boolean;
}

/** True when no node comes for a job. Waiting behind our own jobs is a queue, not a failure to be placed. */
export function isUnplaceable({ since, now, limitMs, othersPlaced }: Waiting): boolean {
  return now - since >= limitMs && !othersPlaced;
}
