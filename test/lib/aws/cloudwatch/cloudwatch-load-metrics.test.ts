import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { cloudwatchReadings } from '../../../../lib/aws/cloudwatch/cloudwatch-load-metrics.ts';
import { scalingSchema } from '../../../../lib/scaling/configuration.ts';
import type { Reading } from '../../../../lib/scaling/hourly-series.ts';
import { configuredLoadMetrics } from '../../../../lib/system/load-metrics.ts';
import { loadMetricsContract } from '../../../contract/load-metrics.ts';

const metric = {
  namespace: 'AWS/ApplicationELB',
  name: 'RequestCount',
  stat: 'Sum' as const,
  dimensions: { LoadBalancer: 'app/backend/1' },
};

type Series = Readonly<Record<string, readonly Reading[]>>;

/** CloudWatch with these metrics: two readings a page; those of sums are of five minutes. */
function serviceWith(series: Series): { client: CloudWatchClient; calls: () => number } {
  const client = new CloudWatchClient({ region: 'us-west-2' });
  const mock = mockClient(client);
  mock.on(GetMetricDataCommand).callsFake(({ StartTime, EndTime, MetricDataQueries, NextToken = '0' }) => {
    const { Metric, Stat } = MetricDataQueries[0].MetricStat;
    const readings = series[Metric.MetricName] ?? [];
    const inside = readings.filter(({ at }) => at >= StartTime.getTime() && at < EndTime.getTime());
    const from = Number(NextToken);
    const page = inside.slice(from, from + 2);
    const Values = page.map(({ value }) => (Stat === 'Sum' ? value * 300 : value));
    return {
      MetricDataResults: [{ Timestamps: page.map(({ at }) => new Date(at)), Values }],
      ...(from + 2 < inside.length ? { NextToken: String(from + 2) } : {}),
    };
  });
  return { client, calls: () => mock.commandCalls(GetMetricDataCommand).length };
}

const average = (name: string) => ({ namespace: 'ContainerInsights', name, stat: 'Average' as const });
const learn = {
  requestCores: 0.5,
  cores: average('cores'),
  ready: average('ready'),
  wanted: average('wanted'),
};

function metricsOf(client: CloudWatchClient, over: object | undefined) {
  const settings = over ? { mode: 'decide', metric, perReplica: 50, ...over } : { mode: 'off' };
  return configuredLoadMetrics(scalingSchema.parse(settings), (named, times) =>
    cloudwatchReadings(client, named, times),
  );
}

loadMetricsContract('CloudWatch', (readings, usage) => {
  const of = (name: 'cores' | 'ready' | 'wanted') =>
    (usage ?? []).map((use) => ({ at: use.at, value: use[name] ?? 0 }));
  const { client } = serviceWith({
    RequestCount: readings ?? [],
    cores: of('cores'),
    ready: of('ready'),
    wanted: of('wanted'),
  });
  return metricsOf(client, readings && (usage ? { learn } : {}));
});

describe('load from CloudWatch', () => {
  it('metric that is configured nowhere is not asked for', async () => {
    const { client, calls } = serviceWith({});
    await metricsOf(client, undefined).readings(0, 1);
    expect(calls()).toBe(0);
  });

  it('averages are load as they are', async () => {
    const { client } = serviceWith({ RequestCount: [{ at: 0, value: 2 }] });
    const found = await cloudwatchReadings(client, { ...metric, stat: 'Average' as const }, [0, 1]);
    expect(found).toEqual([{ at: 0, value: 2 }]);
  });

  it('refusal names the action and the metric', async () => {
    const client = new CloudWatchClient({ region: 'us-west-2' });
    mockClient(client)
      .on(GetMetricDataCommand)
      .rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));
    await expect(cloudwatchReadings(client, metric, [0, 1])).rejects.toThrow('RequestCount');
  });
});
