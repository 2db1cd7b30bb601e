import { flat, type Series, step, steps } from './series.ts';

/** What is wrong, and when the alert has to fire for it. */
export interface Fault {
  /** Instead of the series of a good night; an empty list takes a series away. */
  readonly series: Series;
  /** Minute at which it fires; an hour is simulated. */
  readonly at: number;
  /** Labels of the alert besides its severity. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Minutes that a fault is simulated for. */
export const span = 90;

const up = 'up{instance="127.0.0.1:7411",job="epsilon"}';
const from = (at: number, value: number, before: number) =>
  flat(before, span).map((_, index) => (index * 15 >= at * 60 ? value : before));

/** Requests of a service of which a share fails all the while: fast enough for one alert, and only for the slow one. */
function burning(name: string, job: string): Record<string, Fault[]> {
  const failing = (share: number): Series => ({
    [`http_requests_total{job="${job}",code="200"}`]: flat(0, span).map(
      (_, index) => index * 1_000 * (1 - share),
    ),
    [`http_requests_total{job="${job}",code="500"}`]: flat(0, span).map((_, index) => index * 1_000 * share),
  });
  return {
    [`${name}Errors`]: [{ series: failing(0.015), at: 70 }],
    [`${name}ErrorsSlow`]: [{ series: failing(0.007), at: 80 }],
  };
}

/** One fault for each alert: the smallest that has to be noticed. */
export const faults: Readonly<Record<string, readonly Fault[]>> = {
  SuccessRate: [
    {
      series: {
        epsilon_runs_succeeded_total: step(94, 10, span),
        epsilon_runs_failed_total: step(6, 10, span),
      },
      at: 30,
    },
    {
      series: { epsilon_runs_succeeded_total: flat(0, span), epsilon_runs_failed_total: step(1, 10, span) },
      at: 11,
    },
  ],
  NightCannotMeetTarget: [{ series: { epsilon_runs_failed_total: step(6, 20, span) }, at: 21 }],
  NightWillBeLate: [{ series: { epsilon_tenants_forecast_late_total: step(1, 2, span) }, at: 3 }],
  NightsOverlap: [{ series: { epsilon_nights_overlapping_total: step(1, 2, span) }, at: 3 }],
  ReconcilerSilent: [
    {
      series: { epsilon_reconciler_passes_total: steps(60, span).map((passes) => Math.min(passes, 20)) },
      at: 28,
    },
    { series: { epsilon_reconciler_passes_total: [] }, at: 3 },
  ],
  BadImage: [{ series: { epsilon_images_marked_bad_total: step(1, 5, span) }, at: 6 }],
  CapacityHeld: [{ series: { epsilon_capacity_held_total: steps(60, span) }, at: 30 }],
  CapacityExpired: [{ series: { epsilon_capacity_expired_total: step(1, 5, span) }, at: 6 }],
  LaunchesFailed: [{ series: { epsilon_launches_failed_total: steps(60, span) }, at: 30 }],
  TerminationsFailed: [{ series: { epsilon_terminations_failed_total: step(1, 5, span) }, at: 6 }],
  QueueBlocked: [{ series: { epsilon_queues_blocked_total: step(1, 5, span) }, at: 6 }],
  BillGap: [{ series: { epsilon_bill_gaps_total: step(1, 5, span) }, at: 6 }],
  TenantCostUnusual: [{ series: { epsilon_tenant_costs_unusual_total: step(1, 5, span) }, at: 6 }],
  PricesOld: [{ series: { epsilon_prices_old_total: step(1, 5, span) }, at: 6 }],
  ReconcilerFaults: [{ series: { epsilon_reconciler_faults_total: steps(60, span) }, at: 6 }],
  ReconcilerBehind: [{ series: { epsilon_reconciler_left_total: steps(60, span) }, at: 16 }],
  FixedNamesBehind: [{ series: { epsilon_fixed_names_behind_total: steps(60, span) }, at: 16 }],
  QualityGatesClosed: [{ series: { epsilon_quality_gates_closed_total: step(1, 5, span) }, at: 6 }],
  CapacityShort: [
    {
      series: { 'epsilon_placements_given_up_total{backend="eks",capacity="spot"}': steps(60, span) },
      at: 30,
    },
  ],
  CredentialsRefused: [{ series: { epsilon_credentials_refused_total: step(1, 5, span) }, at: 6 }],
  // The first fault of a function, from 0: what begins at 1 would be no rise.
  HandlerFaults: [
    { series: { 'epsilon_handler_faults_total{function="beginRun"}': step(1, 5, span) }, at: 6 },
  ],
  ControlPlaneSilent: [
    {
      series: { [up]: from(10, 0, 1) },
      at: 14,
      labels: { instance: '127.0.0.1:7411', job: 'epsilon' },
    },
    { series: { [up]: [] }, at: 4, labels: { job: 'epsilon' } },
  ],
  NightBelowTarget: [
    {
      series: {
        'epsilon_night_tenants_total{outcome="succeeded"}': step(94, 30, span),
        'epsilon_night_tenants_total{outcome="failed"}': step(4, 30, span),
        'epsilon_night_tenants_total{outcome="notStarted"}': step(2, 30, span),
      },
      at: 31,
    },
  ],
  NightsOverBudget: [
    {
      series: {
        'epsilon_night_tenants_total{outcome="succeeded"}': step(94, 10, span),
        'epsilon_night_tenants_total{outcome="failed"}': step(6, 10, span),
      },
      at: 75,
    },
  ],
  PreemptionsMany: [
    {
      series: {
        epsilon_attempts_ended_total: steps(30, span),
        epsilon_attempts_preempted_total: steps(90, span),
      },
      at: 40,
    },
  ],
  StageTooLong: [
    {
      series: { 'epsilon_stage_time_used_ratio{stage="train"}': flat(0.81, span) },
      at: 6,
      labels: { stage: 'train' },
    },
  ],
  QueueAgeing: [
    {
      series: { 'epsilon_queue_age_seconds{backend="eks"}': flat(3_601, span) },
      at: 6,
      labels: { backend: 'eks' },
    },
  ],
  RecoveryTooSlow: [{ series: { epsilon_drill_recovery_seconds: flat(14_401, span) }, at: 2 }],
  RunStuck: [{ series: { epsilon_oldest_run_seconds: flat(72_001, span) }, at: 6 }],
  BackupAgeing: [{ series: { epsilon_backup_age_seconds: flat(1_801, span) }, at: 2 }],
  BackupTooOld: [{ series: { epsilon_backup_age_seconds: flat(2_701, span) }, at: 2 }],
  BackupMissing: [{ series: { epsilon_backup_age_seconds: flat(-1, span) }, at: 16 }],
  DrillOverdue: [
    { series: { epsilon_drill_age_seconds: flat(691_201, span) }, at: 61 },
    { series: { epsilon_drill_age_seconds: flat(-1, span) }, at: 61 },
  ],
  StateDiskFilling: [{ series: { epsilon_state_disk_free_bytes: flat(1e9, span) }, at: 2 }],
  JobWatcherDoesNotWatch: [
    { series: { 'epsilon_watcher_leading{pod="a"}': from(10, 0, 1) }, at: 16 },
    { series: { 'epsilon_watcher_leading{pod="a"}': [], 'epsilon_watcher_leading{pod="b"}': [] }, at: 6 },
  ],
  JobWatcherEventsWait: [
    {
      series: {
        'epsilon_watcher_events_waiting{pod="a"}': flat(3, span),
        'epsilon_watcher_publish_failures_total{pod="a"}': steps(60, span),
      },
      at: 13,
    },
  ],
  ...burning('BackendApi', 'backend-api'),
  ...burning('MlEngine', 'ml-engine'),
  ServingSilent: [
    { series: { 'up{job="ml-engine",pod="a"}': flat(0, span) }, at: 4 },
    { series: { 'up{job="backend-api",pod="a"}': [] }, at: 4 },
  ],
  HpaAtMaximum: [
    {
      series: {
        'kube_horizontalpodautoscaler_status_current_replicas{namespace="production",horizontalpodautoscaler="backend-api-hpa"}':
          flat(20, span),
      },
      at: 16,
      labels: { namespace: 'production', horizontalpodautoscaler: 'backend-api-hpa' },
    },
  ],
  ApiCallCost: [
    {
      series: {
        'http_requests_total{job="backend-api",code="200"}': steps(60, span),
        'http_requests_total{job="backend-api",code="500"}': flat(0, span),
      },
      at: 85,
    },
  ],
  RolloutAborted: [
    {
      series: { 'rollout_info{name="backend-api",namespace="production",phase="Degraded"}': flat(1, span) },
      at: 2,
      labels: { name: 'backend-api', namespace: 'production' },
    },
  ],
  JobWatcherMemory: [{ series: { 'epsilon_watcher_memory_bytes{pod="a"}': flat(235e6, span) }, at: 6 }],
};
