import type { BucketRule } from '../batch/token-bucket.ts';

/**
 * Batch allows an account 50 calls a second. Ten are left to people and to Batch's own console, and a fifth of the burst to
 * calls that end or observe jobs, so that a wave of submissions cannot keep the control plane from seeing its jobs.
 */
export const batchRule: BucketRule = { perSecond: 40, burst: 50, reserved: 0.2 };

/** Jobs that look at datasets take a tenth of what Batch allows. */
export const profilesRule: BucketRule = { perSecond: 5, burst: 5, reserved: 0 };
