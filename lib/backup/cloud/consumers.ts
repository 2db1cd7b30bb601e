/**
 * Functions that work on the records and learn at run time where these are. Those that restore work on records of their own; those
 * that back up have nothing to do where a restored state goes on.
 */
export const consumers = [
  'loadTenants',
  'judgeNight',
  'watchNight',
  'beginRun',
  'submitStage',
  'promoteModel',
  'finishRun',
  'completeJob',
  'reconcileJobs',
  'alignFixedNames',
  'fillCache',
  'settleRun',
  'traceRun',
  'vacateInstance',
  'lendCredentials',
] as const;

/** Where a consumer that writes objects leaves the one of its report, below the bucket. */
export const consumerKey = (name: string) => `recovery/consumers/${name}.json`;
