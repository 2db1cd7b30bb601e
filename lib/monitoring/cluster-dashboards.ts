import type { Dashboard } from './dashboards.ts';

const per = (what: string, of: string, window = '5m') => `sum by (${what}) (rate(${of}[${window}]))`;
const hpas = 'horizontalpodautoscaler=~"(backend-api|ml-engine)-hpa"';
const served = 'job=~"backend-api|ml-engine"';

/** What people look at in the cluster, whose Prometheus reads the serving applications and the job watcher. */
export const clusterDashboards: readonly Dashboard[] = [
  {
    uid: 'epsilon-serving',
    title: 'Epsilon: are users served?',
    panels: [
      {
        title: 'Requests a second, by code',
        unit: 'short',
        lines: { '{{job}} {{code}}': per('job, code', `http_requests_total{${served}}`) },
      },
      {
        title: 'Share of requests that failed (objective: 0.001)',
        unit: 'percentunit',
        lines: {
          '{{job}}': `${per('job', `http_requests_total{${served},code=~"5.."}`)} / ${per('job', `http_requests_total{${served}}`)}`,
        },
      },
      {
        title: 'Requests a second, by colour',
        unit: 'short',
        lines: {
          '{{job}} {{rollouts_pod_template_hash}}': per(
            'job, rollouts_pod_template_hash',
            `http_requests_total{${served}}`,
          ),
        },
      },
      {
        title: 'Pods that answer Prometheus',
        unit: 'short',
        lines: { '{{job}}': `sum by (job) (up{${served}})` },
      },
      {
        title: 'Replicas, and their maximum',
        unit: 'short',
        lines: {
          '{{horizontalpodautoscaler}}': `max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas{${hpas}})`,
          'maximum of {{horizontalpodautoscaler}}': `max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas{${hpas}})`,
        },
      },
      {
        title: 'Rollouts, by phase',
        unit: 'short',
        lines: { '{{name}} {{phase}}': 'max by (name, phase) (rollout_info)' },
      },
    ],
  },
  {
    uid: 'epsilon-watcher',
    title: 'Epsilon: are ends of jobs told?',
    panels: [
      {
        title: 'Replicas that lead (one)',
        unit: 'short',
        lines: { '{{pod}}': 'max by (pod) (epsilon_watcher_leading)' },
      },
      {
        title: 'Events that wait, and failures to publish',
        unit: 'short',
        lines: {
          waiting: 'max(epsilon_watcher_events_waiting)',
          failures: 'sum(rate(epsilon_watcher_publish_failures_total[5m]))',
        },
      },
      {
        title: 'Memory (limit: 256 MiB)',
        unit: 'bytes',
        lines: { '{{pod}}': 'max by (pod) (epsilon_watcher_memory_bytes)' },
      },
    ],
  },
];
