import { priceList, priceOf } from '../cost/prices.ts';
import { specFleet } from '../scaling/replay.ts';
import type { Alerts, Query } from './alert.ts';
import { rounded } from './rounded.ts';

/** Share of requests that ended with a server error within a window. */
const errors = (service: string, window: string) =>
  `sum(rate(http_requests_total{job="${service}",code=~"5.."}[${window}])) / sum(rate(http_requests_total{job="${service}"}[${window}]))`;

/** An error budget of 0.1 % over 30 days, spent so many times as fast as it lasts, in a long and a short window. */
const burning = (service: string, times: number, long: string, short: string): Query => ({
  kind: 'query',
  expression: `${errors(service, long)} > ${rounded(times * 0.001)} and ${errors(service, short)} > ${rounded(times * 0.001)}`,
  for: '0s',
});

/** Price of five minutes of one replica in USD: its part of an on-demand node. */
const fiveMinutes = Number(
  (priceOf(priceList.instanceHour, 't3.large') / specFleet.podsPerNode / 12).toPrecision(3),
);

/** The two serving applications: requests flow all day, so a budget that burns is measured. */
export const servingAlerts = {
  BackendApiErrors: {
    severity: 'critical',
    summary: 'The error budget of backend-api burns so fast that two days would use it up.',
    watched: burning('backend-api', 14.4, '1h', '5m'),
  },
  BackendApiErrorsSlow: {
    severity: 'warning',
    summary: 'The error budget of backend-api burns so fast that five days would use it up.',
    watched: burning('backend-api', 6, '6h', '30m'),
  },
  MlEngineErrors: {
    severity: 'critical',
    summary: 'The error budget of ml-engine burns so fast that two days would use it up.',
    watched: burning('ml-engine', 14.4, '1h', '5m'),
  },
  MlEngineErrorsSlow: {
    severity: 'warning',
    summary: 'The error budget of ml-engine burns so fast that five days would use it up.',
    watched: burning('ml-engine', 6, '6h', '30m'),
  },
  ServingSilent: {
    severity: 'critical',
    summary: 'No pod of backend-api or none of ml-engine answers Prometheus.',
    watched: {
      kind: 'query',
      expression:
        '(sum(up{job="backend-api"}) or vector(0)) == 0 or (sum(up{job="ml-engine"}) or vector(0)) == 0',
      for: '3m',
    },
  },
  HpaAtMaximum: {
    severity: 'warning',
    summary: 'A HorizontalPodAutoscaler of the serving applications is at its maximum and wants more.',
    watched: {
      kind: 'query',
      expression:
        'max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler=~"(backend-api|ml-engine)-hpa"}) >= max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas)',
      for: '15m',
    },
  },
  ApiCallCost: {
    severity: 'warning',
    summary: 'Over a day an API call cost more than a tenth of a cent: too many replicas for its requests.',
    watched: {
      kind: 'query',
      expression: `${fiveMinutes} * sum(sum_over_time(kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler=~"(backend-api|ml-engine)-hpa"}[1d:5m])) / sum(increase(http_requests_total{job="backend-api"}[1d])) > 0.001`,
      for: '1h',
    },
  },
  RolloutAborted: {
    severity: 'critical',
    summary: 'A release was aborted: the new colour was judged bad, the old one serves.',
    watched: {
      kind: 'query',
      expression: 'max by (namespace, name) (rollout_info{phase="Degraded"}) == 1',
      for: '1m',
    },
  },
} as const satisfies Alerts<Query>;
