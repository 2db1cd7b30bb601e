import { createHash } from 'node:crypto';

/** Classes of tenants on Batch, whose scheduler knows no priority across shares: prefix, least priority, weight. */
export const shareClasses = [
  { prefix: 'urgent', atLeast: 67, weightFactor: 0.25 },
  { prefix: 'normal', atLeast: 34, weightFactor: 1 },
  { prefix: 'patient', atLeast: 0, weightFactor: 4 },
] as const;

/** Shares of each class. A Batch queue takes at most 500 active shares and refuses jobs beyond: 3 x 160 never get there. */
export const sharesPerClass = 160;

/** What a job of a tenant carries to a Batch queue with a fair-share policy. */
export interface BatchShare {
  /** Letters and digits only, as Batch asks. */
  readonly shareIdentifier: string;
  /** Orders jobs within the share only, 0 to 9999. */
  readonly schedulingPriority: number;
}

/**
 * A tenant's share: its class by priority, and one of the class's shares by a hash of its id. Tenants that meet in a share
 * divide it; a flood of one tenant can so slow down one in 160 others, and nobody else.
 */
export function batchShareOf(tenantId: string, priority: number): BatchShare {
  const found = shareClasses.find(({ atLeast }) => priority >= atLeast) ?? shareClasses[2];
  const bucket = createHash('sha256').update(tenantId).digest().readUInt32BE(0) % sharesPerClass;
  return { shareIdentifier: `${found.prefix}${bucket}`, schedulingPriority: priority };
}
