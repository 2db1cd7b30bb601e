import type { Alerts, Counted, Query, Share, Silent } from './alert.ts';

const minute = 60;
const minutes = 5 * minute;
const hour = 3_600;
const day = 24 * hour;

/** What the control plane counts: CloudWatch alarms on AWS, Prometheus rules beside `epsilon start`. */
export const controlPlaneAlerts = {
  SuccessRate: {
    severity: 'warning',
    summary: 'Of the training runs of seven days not more than 95 % succeeded.',
    watched: {
      kind: 'share',
      whole: { succeeded: 'RunsSucceeded', failed: 'RunsFailed' },
      part: ['succeeded', 'RunsSucceeded'],
      period: 7 * day,
      bound: 'atMost',
    },
  },
  NightCannotMeetTarget: {
    severity: 'warning',
    summary: 'So many runs of a night failed that it misses its target even if all others succeed.',
    watched: {
      kind: 'share',
      whole: { due: 'TenantsDue' },
      part: ['failed', 'RunsFailed'],
      period: 12 * hour,
      bound: 'atLeast',
    },
  },
  NightWillBeLate: {
    severity: 'warning',
    summary: 'A night was planned in which tenants are not expected to be ready by their deadline.',
    watched: { kind: 'counted', metric: 'TenantsForecastLate', period: hour, atLeast: 1 },
  },
  NightsOverlap: {
    severity: 'warning',
    summary: 'A night was due while an earlier one ran; it waits for its end.',
    watched: { kind: 'counted', metric: 'NightsOverlapping', period: hour, atLeast: 1 },
  },
  ReconcilerSilent: {
    severity: 'critical',
    summary: 'The reconciler has not finished a pass for five minutes; lost events stay open.',
    watched: { kind: 'silent', metric: 'ReconcilerPasses', period: minutes },
  },
  BadImage: {
    severity: 'critical',
    summary:
      'Jobs of several tenants could not be started by one image: no run begins with it (epsilon images list).',
    watched: { kind: 'counted', metric: 'ImagesMarkedBad', period: minute, atLeast: 1 },
  },
  CapacityHeld: {
    severity: 'warning',
    summary: 'Within an hour nothing could be decided three times about replicas, for want of metrics.',
    watched: { kind: 'counted', metric: 'CapacityHeld', period: hour, atLeast: 3 },
  },
  CapacityExpired: {
    severity: 'warning',
    summary: 'Capacity that was set ended without being renewed: nothing decides any more, or it fails.',
    watched: { kind: 'counted', metric: 'CapacityExpired', period: hour, atLeast: 1 },
  },
  LaunchesFailed: {
    severity: 'warning',
    summary: 'Auto Scaling could not start instances, three within an hour.',
    watched: { kind: 'counted', metric: 'LaunchesFailed', period: hour, atLeast: 3 },
  },
  TerminationsFailed: {
    severity: 'warning',
    summary: 'Auto Scaling could not end an instance, which goes on being paid for.',
    watched: { kind: 'counted', metric: 'TerminationsFailed', period: hour, atLeast: 1 },
  },
  QueueBlocked: {
    severity: 'warning',
    summary: 'The first job of a queue of Batch cannot be placed, and jobs behind it wait.',
    watched: { kind: 'counted', metric: 'QueuesBlocked', period: hour, atLeast: 1 },
  },
  BillGap: {
    severity: 'warning',
    summary: 'The estimate of costs and the bill differ by more than 5 %.',
    watched: { kind: 'counted', metric: 'BillGaps', period: hour, atLeast: 1 },
  },
  TenantCostUnusual: {
    severity: 'warning',
    summary: "A tenant's newest run cost several times what its earlier ones did.",
    watched: { kind: 'counted', metric: 'TenantCostsUnusual', period: hour, atLeast: 1 },
  },
  PricesOld: {
    severity: 'warning',
    summary: 'The list of prices is older than 90 days.',
    watched: { kind: 'counted', metric: 'PricesOld', period: hour, atLeast: 1 },
  },
  ReconcilerFaults: {
    severity: 'warning',
    summary: 'The reconciler keeps failing on an attempt.',
    watched: {
      kind: 'counted',
      metric: 'ReconcilerFaults',
      period: minute,
      atLeast: 1,
      periods: { of: 5, over: 3 },
    },
  },
  ReconcilerBehind: {
    severity: 'warning',
    summary: 'The reconciler has more open attempts than its passes have time for.',
    watched: {
      kind: 'counted',
      metric: 'ReconcilerLeft',
      period: minute,
      atLeast: 1,
      periods: { of: 15, over: 10 },
    },
  },
  FixedNamesBehind: {
    severity: 'warning',
    summary: 'Fixed names of live models stay behind their promotion.',
    watched: {
      kind: 'counted',
      metric: 'FixedNamesBehind',
      period: minute,
      atLeast: 1,
      periods: { of: 15, over: 10 },
    },
  },
  QualityGatesClosed: {
    severity: 'warning',
    summary: 'A check of the data closed quality gates; those tenants are not trained until they open.',
    watched: { kind: 'counted', metric: 'QualityGatesClosed', period: hour, atLeast: 1 },
  },
  CapacityShort: {
    severity: 'warning',
    summary: 'Jobs found no capacity in time, twenty within an hour, and move to the other kind of it.',
    watched: { kind: 'counted', metric: 'PlacementsGivenUp', period: hour, atLeast: 20 },
  },
  PreemptionsMany: {
    severity: 'warning',
    summary: 'Of the jobs that ended within six hours, thirty percent or more lost their instance.',
    watched: {
      kind: 'share',
      whole: { ended: 'AttemptsEnded' },
      part: ['preempted', 'AttemptsPreempted'],
      period: 6 * hour,
      bound: { share: 0.3, ofAtLeast: 20 },
    },
  },
  CredentialsRefused: {
    severity: 'warning',
    summary: 'A job asked for credentials of an attempt that is not its own, or is closed.',
    watched: { kind: 'counted', metric: 'CredentialsRefused', period: minutes, atLeast: 1 },
  },
  HandlerFaults: {
    severity: 'critical',
    summary:
      'A function met a fault of ours (no outcome that a machine knows); during a deploy this moves the aliases back.',
    watched: { kind: 'counted', metric: 'HandlerFaults', period: minute, atLeast: 1 },
  },
} as const satisfies Alerts<Counted | Silent | Share>;

/** What only a host with `epsilon start` has: records and backups of its own, a disk that fills, and Prometheus that watches from outside. */
export const hostAlerts = {
  ControlPlaneSilent: {
    severity: 'critical',
    summary: 'The control plane does not answer: no night begins, no end of a job is recorded.',
    watched: { kind: 'query', expression: 'up{job="epsilon"} == 0 or absent(up{job="epsilon"})', for: '3m' },
  },
  NightBelowTarget: {
    severity: 'critical',
    summary: 'A night has ended with not more than the target of its tenants trained.',
    watched: {
      kind: 'query',
      expression:
        'sum(increase(epsilon_night_tenants_total{outcome="succeeded"}[30m])) / sum(increase(epsilon_night_tenants_total{outcome=~"succeeded|failed|notStarted"}[30m])) <= $target',
      for: '0s',
    },
  },
  NightsOverBudget: {
    severity: 'warning',
    summary: 'Over thirty nights more tenants were not trained than the target leaves.',
    watched: {
      kind: 'query',
      expression:
        'sum(increase(epsilon_night_tenants_total{outcome="succeeded"}[30d])) / sum(increase(epsilon_night_tenants_total{outcome=~"succeeded|failed|notStarted"}[30d])) <= $target and sum(increase(epsilon_night_tenants_total[30d])) >= 20',
      for: '1h',
    },
  },
  StageTooLong: {
    severity: 'warning',
    summary: 'A job has used more than eighty percent of the time limit of its stage.',
    watched: { kind: 'query', expression: 'max by (stage) (epsilon_stage_time_used_ratio) > 0.8', for: '5m' },
  },
  QueueAgeing: {
    severity: 'warning',
    summary: 'A job has waited for a machine for more than an hour.',
    watched: { kind: 'query', expression: 'max by (backend) (epsilon_queue_age_seconds) > 3600', for: '5m' },
  },
  RunStuck: {
    severity: 'warning',
    summary: 'A run has been on record as running for more than twenty hours.',
    watched: { kind: 'query', expression: `epsilon_oldest_run_seconds > ${20 * hour}`, for: '5m' },
  },
  BackupAgeing: {
    severity: 'warning',
    summary: 'The newest backup is older than 30 minutes.',
    watched: { kind: 'query', expression: 'epsilon_backup_age_seconds > 1800', for: '1m' },
  },
  BackupTooOld: {
    severity: 'critical',
    summary: 'The newest backup is older than 45 minutes; after an hour the objective is missed.',
    watched: { kind: 'query', expression: 'epsilon_backup_age_seconds > 2700', for: '1m' },
  },
  BackupMissing: {
    severity: 'critical',
    summary: 'There is no backup of the state.',
    watched: { kind: 'query', expression: 'epsilon_backup_age_seconds == -1', for: '15m' },
  },
  DrillOverdue: {
    severity: 'warning',
    summary: 'No recovery drill has passed for more than eight days.',
    watched: {
      kind: 'query',
      expression: 'epsilon_drill_age_seconds > 691200 or epsilon_drill_age_seconds == -1',
      for: '1h',
    },
  },
  RecoveryTooSlow: {
    severity: 'critical',
    summary: 'In the recovery drill that passed last, recovery took longer than the objective of four hours.',
    watched: { kind: 'query', expression: 'epsilon_drill_recovery_seconds > 14400', for: '1m' },
  },
  StateDiskFilling: {
    severity: 'critical',
    summary:
      'The disk of the state directory has less than 1 GiB left; the control plane waits when it is full.',
    watched: { kind: 'query', expression: 'epsilon_state_disk_free_bytes < 1073741824', for: '1m' },
  },
} as const satisfies Alerts<Query>;
