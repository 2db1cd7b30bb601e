import { type CountName, metricDefinitions } from '../metrics/definitions.ts';
import { exposedName } from '../metrics/exposed.ts';

/** One graph: a question, and the expressions that answer it. */
export interface Panel {
  readonly title: string;
  /** Unit by Grafana's name. */
  readonly unit: 'short' | 'percentunit' | 's' | 'bytes';
  /** Legend to expression. */
  readonly lines: Readonly<Record<string, string>>;
}

/** One dashboard: a page for one question. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Rises within a window, by the labels of the metric. */
function rises(window: string, ...names: readonly CountName[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const { dimensions } = metricDefinitions[name];
      const by = dimensions.length > 0 ? ` by (${dimensions.join(', ')})` : '';
      const labels = dimensions.map((dimension) => ` {{${dimension}}}`).join('');
      return [`${name}${labels}`, `sum${by} (increase(${exposedName(name)}[${window}]))`];
    }),
  );
}

const succeeded = exposedName('RunsSucceeded');
const failed = exposedName('RunsFailed');
const took = exposedName('HandlerDuration');

/** What people look at beside `epsilon start`. */
export const dashboards: readonly Dashboard[] = [
  {
    uid: 'epsilon-nights',
    title: 'Epsilon: did the night go well?',
    panels: [
      {
        title: 'Share of runs that succeeded in seven days (target: more than 0.95)',
        unit: 'percentunit',
        lines: {
          share: `sum(increase(${succeeded}[7d])) / (sum(increase(${succeeded}[7d])) + sum(increase(${failed}[7d])))`,
        },
      },
      {
        title: 'Tenants of each night',
        unit: 'short',
        lines: rises('1h', 'NightTenants', 'TenantsDue', 'TenantsForecastLate'),
      },
      { title: 'Runs that are open', unit: 'short', lines: { open: 'epsilon_runs_open' } },
      { title: 'Age of the oldest open run', unit: 's', lines: { oldest: 'epsilon_oldest_run_seconds' } },
      {
        title: 'Longest wait of a job for a machine',
        unit: 's',
        lines: { '{{backend}}': 'max by (backend) (epsilon_queue_age_seconds)' },
      },
      {
        title: 'Part of its time limit that the longest job of a stage has used',
        unit: 'percentunit',
        lines: { '{{stage}}': 'max by (stage) (epsilon_stage_time_used_ratio)' },
      },
      {
        title: 'Runs that began and ended',
        unit: 'short',
        lines: rises('5m', 'RunsBegun', 'RunsSucceeded', 'RunsFailed', 'RunsRefused'),
      },
      {
        title: 'Tenants that are held back',
        unit: 'short',
        lines: rises('1h', 'TenantsQuarantined', 'QualityGatesClosed', 'NightsOverlapping'),
      },
    ],
  },
  {
    uid: 'epsilon-control-plane',
    title: 'Epsilon: is the control plane well?',
    panels: [
      { title: 'Answers to scrapes', unit: 'short', lines: { up: 'up{job="epsilon"}' } },
      {
        title: 'Passes and faults of the reconciler',
        unit: 'short',
        lines: rises('5m', 'ReconcilerPasses', 'ReconcilerFaults', 'ReconcilerLeft', 'ReconcilerOverlaps'),
      },
      {
        title: 'Answers to stages',
        unit: 'short',
        lines: rises(
          '5m',
          'CallbacksDelivered',
          'CallbacksGone',
          'JobEventsUnknown',
          'JobEventsRepeated',
          'StrayJobs',
        ),
      },
      {
        title: 'Mean duration of handlers',
        unit: 's',
        lines: {
          '{{function}}': `sum by (function) (rate(${took}_sum[5m])) / sum by (function) (rate(${took}_count[5m]))`,
        },
      },
      { title: 'Faults of handlers', unit: 'short', lines: rises('5m', 'HandlerFaults') },
      {
        title: 'Capacity',
        unit: 'short',
        lines: rises(
          '1h',
          ...(['PlacementsGivenUp', 'SpotSignals', 'JobsVacated', 'JobsUnstartable'] as const),
          ...(['AttemptsEnded', 'AttemptsPreempted'] as const),
        ),
      },
      {
        title: 'Jobs that wait for their start, counted every minute',
        unit: 'short',
        lines: rises('5m', 'JobsWaiting'),
      },
      {
        title: 'Age of the newest backup, and of the last drill that passed',
        unit: 's',
        lines: { backup: 'epsilon_backup_age_seconds', drill: 'epsilon_drill_age_seconds' },
      },
      {
        title: 'Recovery in the last drill that passed (objective: four hours)',
        unit: 's',
        lines: { recovery: 'epsilon_drill_recovery_seconds' },
      },
      {
        title: 'Free bytes on the disk of the state',
        unit: 'bytes',
        lines: { free: 'epsilon_state_disk_free_bytes' },
      },
    ],
  },
];

/** The data source that provisioning names (infra/grafana/provisioning). */
const hostPrometheus = 'epsilon-prometheus';

/** Two graphs in a row of 24 columns. */
export const atPlace = (index: number) => ({
  x: (index % 2) * 12,
  y: Math.floor(index / 2) * 8,
  w: 12,
  h: 8,
});

/** A dashboard as Grafana is provisioned with it; `source` is the uid of its Prometheus. */
export function grafanaDashboard({ uid, title, panels }: Dashboard, source = hostPrometheus) {
  const datasource = { type: 'prometheus', uid: source };
  return {
    uid,
    title,
    tags: ['epsilon'],
    timezone: 'utc',
    schemaVersion: 39,
    refresh: '1m',
    time: { from: 'now-24h', to: 'now' },
    templating: { list: [] },
    annotations: { list: [] },
    panels: panels.map(({ title: question, unit, lines }, index) => ({
      id: index + 1,
      type: 'timeseries',
      title: question,
      datasource,
      gridPos: atPlace(index),
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: Object.entries(lines).map(([legendFormat, expr], line) => ({
        refId: String.fromCharCode(65 + line),
        datasource,
        expr,
        legendFormat,
      })),
    })),
  };
}
