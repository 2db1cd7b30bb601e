import { recoveryMetrics } from './recovery.ts';

/** One metric of the control plane: docs/metrics.md lists them all. */
export interface MetricDefinition {
  readonly unit: 'count' | 'milliseconds';
  /** Its own dimensions; never a tenant, of whom there may be thousands. */
  readonly dimensions: readonly string[];
  /** When it is counted. */
  readonly help: string;
}

/** Every metric by its name in CloudWatch. */
export const metricDefinitions = {
  HandlerDuration: {
    unit: 'milliseconds',
    dimensions: ['function'],
    help: 'an invocation ended, successfully or not',
  },
  HandlerErrors: {
    unit: 'count',
    dimensions: ['function', 'error'],
    help: 'an invocation failed; `error` is the name that state machines match',
  },
  RunsBegun: { unit: 'count', dimensions: ['trigger'], help: "a tenant's run has its lease and its record" },
  RunsRefused: {
    unit: 'count',
    dimensions: [],
    help: 'a run began with an image that is bad or speaks another job contract and was ended without a job',
  },
  ImagesMarkedBad: {
    unit: 'count',
    dimensions: [],
    help: 'jobs of three tenants could not be started by an image: no run begins with it',
  },
  RunsSucceeded: { unit: 'count', dimensions: [], help: 'a run was promoted and recorded' },
  TracesLost: {
    unit: 'count',
    dimensions: [],
    help: 'a trace was not taken by the collector; the records still have what it says',
  },
  RunsFailed: {
    unit: 'count',
    dimensions: [],
    help: "a run's execution ended without success and was cleaned up",
  },
  NightTenants: {
    unit: 'count',
    dimensions: ['outcome'],
    help: 'a night was judged: tenants per outcome (`succeeded`, `failed`, `notStarted`, `skipped`, `busy`)',
  },
  AttemptsEnded: { unit: 'count', dimensions: [], help: "an attempt's job has ended, however it did" },
  AttemptsPreempted: {
    unit: 'count',
    dimensions: [],
    help: 'an attempt ended because its job was moved or reclaimed with its instance, or found none',
  },
  CallbacksDelivered: {
    unit: 'count',
    dimensions: [],
    help: 'a state machine accepted the outcome of a stage',
  },
  CallbacksGone: {
    unit: 'count',
    dimensions: [],
    help: 'the state no longer waited for the outcome: a repeated answer, or an execution that has ended',
  },
  JobEventsUnknown: { unit: 'count', dimensions: [], help: 'an event named a job that is not on record' },
  JobEventsRepeated: { unit: 'count', dimensions: [], help: 'an event named an attempt that is settled' },
  SpotSignals: {
    unit: 'count',
    dimensions: ['signal'],
    help: 'EC2 announced that an instance ends (`interruption`) or may end (`rebalance`)',
  },
  SpotSignalsUnknown: {
    unit: 'count',
    dimensions: ['signal'],
    help: "none of this environment's jobs runs on the instance that was named",
  },
  JobsVacated: {
    unit: 'count',
    dimensions: ['signal'],
    help: 'a job was asked to stop and leave its instance',
  },
  CapacityDecided: {
    unit: 'count',
    dimensions: ['action'],
    help: 'the least number of replicas was decided (`raise`, `lower`, `keep`), or not, for want of metrics (`hold`)',
  },
  CapacityExpired: {
    unit: 'count',
    dimensions: [],
    help: 'least replicas or nodes that were set ended without being renewed, and were taken back',
  },
  CapacityHeld: {
    unit: 'count',
    dimensions: [],
    help: 'nothing was decided about replicas: metrics are missing, old or unusable',
  },
  LaunchesFailed: { unit: 'count', dimensions: [], help: 'Auto Scaling could not start an instance of ours' },
  TerminationsFailed: {
    unit: 'count',
    dimensions: [],
    help: 'Auto Scaling could not end an instance of ours, which goes on being paid for',
  },
  QueuesBlocked: {
    unit: 'count',
    dimensions: [],
    help: 'Batch says that the first job of a queue of ours cannot be placed',
  },
  JobsWaiting: {
    unit: 'count',
    dimensions: ['backend', 'capacity'],
    help: 'jobs that a pass of the reconciler found waiting for their start: by the minute, the depth of the queue',
  },
  BillGaps: {
    unit: 'count',
    dimensions: [],
    help: 'the estimate of training and the bill of settled days differ by more than 5 % of the bill',
  },
  TenantCostsUnusual: {
    unit: 'count',
    dimensions: [],
    help: "a tenant's newest run cost several times what its earlier ones did",
  },
  PricesOld: { unit: 'count', dimensions: [], help: 'the list of prices is older than 90 days' },
  CredentialsLent: { unit: 'count', dimensions: [], help: 'a job on Batch got credentials for its attempt' },
  CredentialsRefused: {
    unit: 'count',
    dimensions: [],
    help: 'a job asked for credentials of an attempt that is not its own, or is closed',
  },
  ReconcilerPasses: {
    unit: 'count',
    dimensions: [],
    help: 'a pass of the reconciler ended; none for several minutes means that it does not run',
  },
  ReconcilerLeft: {
    unit: 'count',
    dimensions: [],
    help: 'attempts that a pass had no time for; the next pass begins with others',
  },
  ReconcilerOverlaps: {
    unit: 'count',
    dimensions: [],
    help: 'a pass did nothing because another one was working on its shard',
  },
  ReconcilerFaults: {
    unit: 'count',
    dimensions: [],
    help: 'one attempt could not be reconciled; the pass went on',
  },
  JobResultsUnreadable: {
    unit: 'count',
    dimensions: ['backend'],
    help: 'a job succeeded but its result could not be read; it is read again later',
  },
  FixedNamesBehind: {
    unit: 'count',
    dimensions: [],
    help: 'live models whose fixed names are not in line with them two minutes after the promotion',
  },
  CallBudgetEmpty: {
    unit: 'count',
    dimensions: ['api'],
    help: "a call was not made because the account's calls per second were used up",
  },
  HandlerFaults: {
    unit: 'count',
    dimensions: ['function'],
    help: 'an error that no machine handles: a bug, an unknown format, a broken backend',
  },
  TenantsQuarantined: {
    unit: 'count',
    dimensions: [],
    help: 'a night put tenants last that failed on each of their last three nights',
  },
  TenantsForecastLate: {
    unit: 'count',
    dimensions: [],
    help: 'a night was planned: tenants whose runs are not expected to end by their deadline',
  },
  CachesFilled: {
    unit: 'count',
    dimensions: [],
    help: 'the cache was filled with the passages of a model that was promoted',
  },
  CacheFilesRefused: {
    unit: 'count',
    dimensions: [],
    help: 'a cache stage wrote a file that is not cached: no entries, or more than a tenant may have',
  },
  TenantsExpectedLate: {
    unit: 'count',
    dimensions: [],
    help: 'a night that runs was looked at: tenants that are expected to end after their deadline',
  },
  NightsWidened: {
    unit: 'count',
    dimensions: [],
    help: 'a night that fell behind lets more tenants run at a time',
  },
  TenantsDue: {
    unit: 'count',
    dimensions: [],
    help: 'a night was planned: tenants that it is to train',
  },
  NightsOverlapping: {
    unit: 'count',
    dimensions: [],
    help: 'a night was due while an earlier one ran; it waits for its end',
  },
  StrayJobs: {
    unit: 'count',
    dimensions: [],
    help: 'an event came of a job that no attempt expects any more; the job is stopped',
  },
  PlacementsGivenUp: {
    unit: 'count',
    dimensions: ['backend', 'capacity'],
    help: 'a job found no capacity of this kind in time; its next attempt uses the other',
  },
  JobsUnstartable: {
    unit: 'count',
    dimensions: ['backend'],
    help: 'a job had an instance but could not be started there (no such image, wrong settings)',
  },
  QualityFaults: {
    unit: 'count',
    dimensions: [],
    help: 'tenants whose data could not be looked at in a check; their verdict stays as it was',
  },
  QualityTenantsLeftOver: {
    unit: 'count',
    dimensions: [],
    help: 'tenants that a check had no time for; the next check begins with them all',
  },
  QualityJudged: {
    unit: 'count',
    dimensions: [],
    help: 'tenants that a check made a verdict of',
  },
  QualityGatesClosing: {
    unit: 'count',
    dimensions: [],
    help: 'gates that a check would close; when they are very many, none is closed',
  },
  QualityGatesClosed: {
    unit: 'count',
    dimensions: [],
    help: 'gates that a check closed',
  },
  ...recoveryMetrics,
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/**
 * Values of dimensions that have a known set of them. The others are `function` (the keys of functions.yml) and `error`, whose values
 * are the names of errors: as many as the code has.
 */
export const dimensionValues: Readonly<Record<string, readonly string[]>> = {
  action: ['raise', 'lower', 'keep', 'hold'],
  api: ['batch'],
  backend: ['eks', 'batch', 'local'],
  capacity: ['spot', 'on-demand'],
  outcome: ['succeeded', 'failed', 'notStarted', 'skipped', 'busy'],
  signal: ['interruption', 'rebalance'],
  store: ['database', 'table', 'objects'],
  trigger: ['schedule', 'manual'],
};

type Definitions = typeof metricDefinitions;

/** Names of what is counted. */
export type CountName = {
  [K in keyof Definitions]: Definitions[K]['unit'] extends 'count' ? K : never;
}[keyof Definitions];

/** Names of what takes time. */
export type DurationName = Exclude<keyof Definitions, CountName>;
