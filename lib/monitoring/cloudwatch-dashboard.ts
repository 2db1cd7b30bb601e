import type { CountName, DurationName } from '../metrics/definitions.ts';
import { atPlace } from './dashboards.ts';

type Name = CountName | DurationName;

/** One graph of what the functions write, each metric of the whole environment. */
interface Panel {
  readonly title: string;
  readonly statistic: 'Sum' | 'Maximum';
  readonly unit: 'short' | 'ms';
  readonly metrics: readonly Name[];
}

const panels: readonly Panel[] = [
  {
    title: 'Runs that began and ended',
    statistic: 'Sum',
    unit: 'short',
    metrics: ['RunsBegun', 'RunsSucceeded', 'RunsFailed', 'RunsRefused'],
  },
  {
    title: 'Tenants that were due, and those forecast to be late',
    statistic: 'Sum',
    unit: 'short',
    metrics: ['TenantsDue', 'TenantsForecastLate', 'NightsOverlapping'],
  },
  {
    title: 'Passes and faults of the reconciler',
    statistic: 'Sum',
    unit: 'short',
    metrics: ['ReconcilerPasses', 'ReconcilerFaults', 'ReconcilerLeft', 'ReconcilerOverlaps'],
  },
  {
    title: 'Jobs that ended, and those that lost their instance',
    statistic: 'Sum',
    unit: 'short',
    metrics: ['AttemptsEnded', 'AttemptsPreempted'],
  },
  {
    title: 'Tenants that are held back',
    statistic: 'Sum',
    unit: 'short',
    metrics: ['TenantsQuarantined', 'QualityGatesClosed'],
  },
  {
    title: 'Last drill and last provisioning: how long they took (objectives: four hours, thirty minutes)',
    statistic: 'Maximum',
    unit: 'ms',
    metrics: ['RestoreDrillDuration', 'ProvisioningDuration'],
  },
  {
    title: 'Last drill and last provisioning: how long ago (at most eight and ninety days)',
    statistic: 'Maximum',
    unit: 'ms',
    metrics: ['RestoreDrillAge', 'ProvisioningAge'],
  },
];

/** Metrics that the dashboard shows. */
export const shownOfCloudWatch: readonly Name[] = panels.flatMap(({ metrics }) => metrics);

/** The data source of CloudWatch that the cluster's Grafana has (infra/argocd/addons/sets/kube-prometheus-stack.yml). */
const datasource = { type: 'cloudwatch', uid: 'epsilon-cloudwatch' };

const queryOf = (metricName: Name, { statistic }: Panel, line: number) => ({
  refId: String.fromCharCode(65 + line),
  datasource,
  queryMode: 'Metrics',
  metricQueryType: 0,
  metricEditorMode: 0,
  region: 'default',
  namespace: 'Epsilon',
  metricName,
  dimensions: { environment: '$environment' },
  matchExact: true,
  statistic,
  period: '300',
  label: metricName,
  id: '',
});

const environments = ['prod', 'staging', 'dev'].map((value) => ({
  text: value,
  value,
  selected: value === 'prod',
}));

/** The dashboard of the control plane on AWS, for a Grafana that reads CloudWatch. */
export function cloudwatchDashboard() {
  return {
    uid: 'epsilon-aws',
    title: 'Epsilon: did the night go well on AWS?',
    tags: ['epsilon'],
    timezone: 'utc',
    schemaVersion: 39,
    refresh: '5m',
    time: { from: 'now-7d', to: 'now' },
    templating: {
      list: [
        {
          type: 'custom',
          name: 'environment',
          label: 'environment',
          query: environments.map(({ value }) => value).join(','),
          options: environments,
          current: environments[0],
        },
      ],
    },
    annotations: { list: [] },
    panels: panels.map((panel, index) => ({
      id: index + 1,
      type: 'timeseries',
      title: panel.title,
      datasource,
      gridPos: atPlace(index),
      fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
      targets: panel.metrics.map((name, line) => queryOf(name, panel, line)),
    })),
  };
}
