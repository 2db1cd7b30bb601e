import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type GetMetricDataCommandInput,
} from '@aws-sdk/client-cloudwatch';
import type { MetricSource } from '../../scaling/configuration.ts';
import type { Reading } from '../../scaling/hourly-series.ts';
import { explained } from '../errors/service-errors.ts';

/** Seconds of a reading. CloudWatch keeps those of five minutes for 63 days, shorter ones for 15. */
const period = 300;

/** A metric in CloudWatch. */
type Metric = Extract<MetricSource, { readonly namespace: string }>;

/** All readings of a time, in its order. */
function questionOf(
  { namespace, name, stat, dimensions }: Metric,
  from: number,
  until: number,
): GetMetricDataCommandInput {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: namespace, MetricName: name, Dimensions };
  return {
    StartTime: new Date(from),
    EndTime: new Date(until),
    ScanBy: 'TimestampAscending',
    MetricDataQueries: [{ Id: 'load', MetricStat: { Metric, Period: period, Stat: stat } }],
  };
}

/** Readings of a metric in CloudWatch, by five minutes. */
export async function cloudwatchReadings(
  client: CloudWatchClient,
  metric: Metric,
  [from, until]: readonly [number, number],
): Promise<Reading[]> {
  const { namespace, name, stat } = metric;
  const question = questionOf(metric, from, until);
  const found: Reading[] = [];
  let NextToken: string | undefined;
  do {
    const answer = await explained('cloudwatch:GetMetricData', `${namespace}/${name}`, () =>
      client.send(
        new GetMetricDataCommand({ ...question, ...(NextToken === undefined ? {} : { NextToken }) }),
      ),
    );
    for (const { Timestamps = [], Values = [] } of answer.MetricDataResults ?? [])
      for (const [index, time] of Timestamps.entries()) {
        const value = Values[index] ?? Number.NaN;
        found.push({ at: time.getTime(), value: stat === 'Sum' ? value / period : value });
      }
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  return found;
}
