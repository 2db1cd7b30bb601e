import { type Declared, type Resource, type Resources, ref, type Tree } from './declared.ts';

/** A metric, and which one of its name. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, unknown>>;
}

/** When an alarm rings: of one metric, or of an expression over several that are summed over the period. */
export interface Watch {
  /** One sentence for the person who is woken. */
  readonly description: string;
  readonly watched: Metric | { readonly expression: string; readonly of: Readonly<Record<string, Metric>> };
  /** Seconds. */
  readonly period: number;
  /** Rings from this value on. */
  readonly threshold?: number;
  readonly comparison?: 'LessThanThreshold' | 'LessThanOrEqualToThreshold';
  /** Of the values of a period; their sum otherwise. */
  readonly statistic?: 'Sum' | 'Maximum';
  /** Looks at this many periods, of which so many must be over the threshold; one of one otherwise. */
  readonly periods?: { readonly of: number; readonly over: number };
  /** A metric that says nothing is the fault. */
  readonly silenceIsFault?: boolean;
}

/** Most metrics that the expression of one alarm may have (quota of CloudWatch, cannot be raised). */
const mostMetrics = 10;

/** A metric of this service, counted for the environment (docs/metrics.md). */
export function ownMetric({ environment }: Declared, name: string): Metric {
  return { namespace: 'Epsilon', name, dimensions: { environment } };
}

/** A metric of a state machine, by the machine's logical id. */
export function machineMetric(id: string, name: string): Metric {
  return { namespace: 'AWS/States', name, dimensions: { StateMachineArn: ref(id) } };
}

/** Sum of metrics by their ids, as an expression in which a metric that was not written counts as 0. */
export function sumOf(ids: readonly string[]): string {
  return ids.map((id) => `FILL(${id}, 0)`).join(' + ');
}

const dimensionsOf = ({ dimensions }: Metric) =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

function watchedProperties({ watched, period, statistic = 'Sum' }: Watch): Tree {
  if ('namespace' in watched) {
    return {
      Namespace: watched.namespace,
      MetricName: watched.name,
      Dimensions: dimensionsOf(watched),
      Statistic: statistic,
      Period: period,
    };
  }
  return {
    Metrics: [
      { Id: 'watched', Expression: watched.expression, ReturnData: true },
      ...Object.entries(watched.of).map(([Id, metric]) => ({
        Id,
        ReturnData: false,
        MetricStat: {
          Stat: statistic,
          Period: period,
          Metric: {
            Namespace: metric.namespace,
            MetricName: metric.name,
            Dimensions: dimensionsOf(metric),
          },
        },
      })),
    ],
  };
}

/** `NightFailedAlarm` is `night-failed`. */
const nameOf = (id: string) =>
  id
    .replace(/Alarm$/, '')
    .replace(/[A-Z0-9]+/g, (part, at: number) => `${at > 0 ? '-' : ''}${part.toLowerCase()}`);

function alarm({ prefix }: Declared, id: string, watch: Watch): Resource {
  const { periods, threshold = 1, comparison = 'GreaterThanOrEqualToThreshold' } = watch;
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${prefix}-${nameOf(id)}`,
      AlarmDescription: watch.description,
      TreatMissingData: watch.silenceIsFault ? 'breaching' : 'notBreaching',
      AlarmActions: [ref('AlertsTopicArn')],
      OKActions: [ref('AlertsTopicArn')],
      EvaluationPeriods: periods?.of ?? 1,
      ...(periods && { DatapointsToAlarm: periods.over }),
      ComparisonOperator: comparison,
      Threshold: threshold,
      ...watchedProperties(watch),
    },
  };
}

/** Alarms as resources, by logical ids: each goes to the alerts topic when it begins and when it is over. */
export function alarmsOf(declared: Declared, watches: Readonly<Record<string, Watch>>): Resources {
  return Object.fromEntries(Object.entries(watches).map(([id, watch]) => [id, alarm(declared, id, watch)]));
}

/**
 * Alarms on the sum of one metric over many things: one alarm, or as many as CloudWatch's limit asks for (`…Alarm`,
 * `…2Alarm`). `metrics` are by ids that an expression may have.
 */
export function sumAlarms(
  id: string,
  metrics: Readonly<Record<string, Metric>>,
  watch: Omit<Watch, 'watched'>,
): Record<string, Watch> {
  const entries = Object.entries(metrics);
  const alarms: Record<string, Watch> = {};
  for (let first = 0; first < entries.length; first += mostMetrics) {
    const of = Object.fromEntries(entries.slice(first, first + mostMetrics));
    const number = first / mostMetrics + 1;
    alarms[`${id}${number === 1 ? '' : number}Alarm`] = {
      ...watch,
      watched: { expression: sumOf(Object.keys(of)), of },
    };
  }
  return alarms;
}
