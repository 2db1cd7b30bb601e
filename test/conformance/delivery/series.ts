/** Seconds between two samples. */
export const interval = 15;

/** Values of one series, one for each scrape. */
export type Values = readonly number[];

/** Series by their name with labels, as Prometheus writes them. */
export type Series = Readonly<Record<string, Values>>;

/** Samples of so many minutes. */
const samples = (minutes: number) => (minutes * 60) / interval + 1;

/** The same value at every scrape. */
export const flat = (value: number, minutes: number): Values => Array(samples(minutes)).fill(value);

/** 0 until a minute, then a value. */
export const step = (by: number, at: number, minutes: number): Values =>
  flat(0, minutes).map((_, index) => (index * interval >= at * 60 ? by : 0));

/** One more every so many seconds. */
export const steps = (every: number, minutes: number): Values =>
  flat(0, minutes).map((_, index) => Math.floor((index * interval) / every));

/** Rises with the seconds and begins again at a bound. */
const sawtooth = (bound: number, minutes: number): Values =>
  flat(0, minutes).map((_, index) => (index * interval) % bound);

const failures = (ended: number) => Number(ended >= 50) + Number(ended >= 80);

/** A serving application: of a thousand requests each quarter of a minute one in ten thousand fails. */
const serving = (job: string, minutes: number): [string, Values][] => [
  [`up{job="${job}",pod="a"}`, flat(1, minutes)],
  [`http_requests_total{job="${job}",code="200"}`, flat(0, minutes).map((_, index) => index * 1_000)],
  [
    `http_requests_total{job="${job}",code="500"}`,
    flat(0, minutes).map((_, index) => Math.floor(index / 10)),
  ],
  [hpa('current', job), flat(4, minutes)],
  [hpa('max', job), flat(20, minutes)],
  [`rollout_info{name="${job}",namespace="production",phase="Healthy"}`, flat(1, minutes)],
];

const hpa = (which: 'current' | 'max', job: string) =>
  `kube_horizontalpodautoscaler_${which === 'current' ? 'status_current' : 'spec_max'}_replicas{namespace="production",horizontalpodautoscaler="${job}-hpa"}`;

/** A good night of so many minutes: a hundred tenants, of whom two fail; a backup every four minutes, a pass every minute. */
export function goodNight(minutes: number): Series {
  const begun = steps(60, minutes).map((count) => Math.min(count, 100));
  const ended = begun.map((count) => Math.max(0, count - 5));
  return {
    'up{instance="127.0.0.1:7411",job="epsilon"}': flat(1, minutes),
    epsilon_reconciler_passes_total: steps(60, minutes),
    // A fault now and then is not an alert: a backend that was busy.
    epsilon_reconciler_faults_total: steps(1_800, minutes),
    epsilon_reconciler_left_total: steps(1_200, minutes),
    epsilon_fixed_names_behind_total: steps(1_800, minutes),
    epsilon_images_marked_bad_total: flat(0, minutes),
    epsilon_credentials_refused_total: flat(0, minutes),
    epsilon_quality_gates_closed_total: flat(0, minutes),
    epsilon_tenants_forecast_late_total: flat(0, minutes),
    epsilon_nights_overlapping_total: flat(0, minutes),
    epsilon_tenants_due_total: step(100, 1, minutes),
    // The fiftieth and the eightieth fail: without a week behind it an early failure is a large share.
    epsilon_runs_succeeded_total: ended.map((count) => count - failures(count)),
    epsilon_runs_failed_total: ended.map(failures),
    'epsilon_handler_faults_total{function="beginRun"}': flat(0, minutes),
    'epsilon_placements_given_up_total{backend="eks",capacity="spot"}': steps(900, minutes),
    'epsilon_night_tenants_total{outcome="succeeded"}': step(98, minutes - 20, minutes),
    'epsilon_night_tenants_total{outcome="failed"}': step(2, minutes - 20, minutes),
    'epsilon_night_tenants_total{outcome="notStarted"}': flat(0, minutes),
    epsilon_runs_open: begun.map((count, index) => count - (ended[index] ?? 0)),
    epsilon_oldest_run_seconds: sawtooth(3_600, minutes),
    epsilon_backup_age_seconds: sawtooth(240, minutes),
    epsilon_drill_age_seconds: flat(86_400, minutes),
    epsilon_drill_recovery_seconds: flat(40, minutes),
    'epsilon_queue_age_seconds{backend="eks"}': sawtooth(900, minutes),
    'epsilon_stage_time_used_ratio{stage="train"}': sawtooth(3_600, minutes).map((used) => used / 7_200),
    // One job in ten loses its instance.
    epsilon_attempts_ended_total: steps(30, minutes),
    epsilon_attempts_preempted_total: steps(300, minutes),
    epsilon_state_disk_free_bytes: flat(50e9, minutes),
    'epsilon_watcher_leading{pod="a"}': flat(1, minutes),
    'epsilon_watcher_leading{pod="b"}': flat(0, minutes),
    'epsilon_watcher_events_waiting{pod="a"}': sawtooth(30, minutes),
    'epsilon_watcher_publish_failures_total{pod="a"}': flat(0, minutes),
    'epsilon_watcher_memory_bytes{pod="a"}': flat(140e6, minutes),
    ...Object.fromEntries(['backend-api', 'ml-engine'].flatMap((job) => serving(job, minutes))),
  };
}
