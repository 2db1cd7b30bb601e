import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { catalogue } from '../../lib/monitoring/catalogue.ts';
import { cloudwatchDashboard } from '../../lib/monitoring/cloudwatch-dashboard.ts';
import { clusterDashboards } from '../../lib/monitoring/cluster-dashboards.ts';
import { dashboards, grafanaDashboard } from '../../lib/monitoring/dashboards.ts';
import { groupOf } from '../../lib/monitoring/rules.ts';

/** A file that follows from the catalogues of alerts and dashboards. */
export interface Rendered {
  readonly path: string;
  readonly text: string;
}

const header = '# Rendered from lib/monitoring by `npm run render:monitoring`; a test compares them.\n';

const successTarget = (): number =>
  parse(readFileSync('infra/config/local.yml', 'utf8')).training.successTarget as number;

const yaml = (value: unknown) => header + stringify(value, { lineWidth: 0 });

/** A `PrometheusRule`, which the operator of kube-prometheus-stack takes from every namespace. */
function prometheusRule(name: string, namespace: string | undefined, groups: readonly unknown[]) {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'epsilon' },
    },
    spec: { groups },
  };
}

/** The data source that kube-prometheus-stack makes for its own Prometheus. */
const clusterPrometheus = 'prometheus';

/** A dashboard as the cluster's Grafana takes it from every namespace: a ConfigMap with this label. */
const dashboardMap = (dashboard: { readonly uid: string }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: dashboard.uid,
    namespace: 'epsilon',
    labels: { grafana_dashboard: '1', 'app.kubernetes.io/part-of': 'epsilon' },
  },
  data: { [`${dashboard.uid}.json`]: `${JSON.stringify(dashboard, null, 2)}\n` },
});

/** Every rendered file of the repository. Reads the success target of `infra/config/local.yml`. */
export function renderedFiles(): Rendered[] {
  const settings = { successTarget: successTarget() };
  const group = (name: keyof Omit<typeof catalogue, 'aws'>) => groupOf(name, catalogue[name], settings);
  return [
    {
      path: 'infra/prometheus/rules/epsilon-start.yml',
      text: yaml({ groups: [group('control plane'), group('host')] }),
    },
    {
      path: 'infra/k8s/watcher/rules.yaml',
      text: yaml(prometheusRule('job-watcher', 'epsilon', [group('watcher')])),
    },
    {
      path: 'infra/k8s/serving/base/rules.yaml',
      // The namespace is the overlay's.
      text: yaml(prometheusRule('serving', undefined, [group('serving')])),
    },
    ...dashboards.map((dashboard) => ({
      path: `infra/grafana/dashboards/${dashboard.uid}.json`,
      text: `${JSON.stringify(grafanaDashboard(dashboard), null, 2)}\n`,
    })),
    ...[
      ...clusterDashboards.map((dashboard) => grafanaDashboard(dashboard, clusterPrometheus)),
      cloudwatchDashboard(),
    ].map((dashboard) => ({
      path: `infra/k8s/dashboards/${dashboard.uid}.yaml`,
      text: yaml(dashboardMap(dashboard)),
    })),
  ];
}
