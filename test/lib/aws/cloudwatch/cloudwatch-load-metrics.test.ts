import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { cloudwatchLoadMetrics } from '../../../../lib/aws/cloudwatch/cloudwatch-load-metrics.ts';
import type { Reading } from '../../../../lib/scaling/hourly-series.ts';
import { loadMetricsContract } from '../../../contract/load-metrics.ts';

const metric = {
  namespace: 'AWS/ApplicationELB',
  name: 'RequestCount',
  stat: 'Sum' as const,
  dimensions: { LoadBalancer: 'app/backend/1' },
};

/** CloudWatch with these readings: two a page, as sums of five minutes. */
function serviceWith(readings: readonly Reading[]): { client: CloudWatchClient; calls: () => number } {
  const client = new CloudWatchClient({ region: 'us-west-2' });
  const mock = mockClient(client);
  mock.on(GetMetricDataCommand).callsFake(({ StartTime, EndTime, NextToken = '0' }) => {
    const inside = readings.filter(({ at }) => at >= StartTime.getTime() && at < EndTime.getTime());
    const from = Number(NextToken);
    const page = inside.slice(from, from + 2);
    return {
      MetricDataResults: [
        { Timestamps: page.map(({ at }) => new Date(at)), Values: page.map(({ value }) => value * 300) },
      ],
      ...(from + 2 < inside.length ? { NextToken: String(from + 2) } : {}),
    };
  });
  return { client, calls: () => mock.commandCalls(GetMetricDataCommand).length };
}

loadMetricsContract('CloudWatch', (readings) =>
  cloudwatchLoadMetrics(serviceWith(readings ?? []).client, readings ? metric : undefined),
);

describe('load from CloudWatch', () => {
  it('metric that is configured nowhere is not asked for', async () => {
    const { client, calls } = serviceWith([]);
    await cloudwatchLoadMetrics(client, undefined).readings(0, 1);
    expect(calls()).toBe(0);
  });

  it('averages are load as they are', async () => {
    const { client } = serviceWith([{ at: 0, value: 2 }]);
    const average = { ...metric, stat: 'Average' as const };
    expect(await cloudwatchLoadMetrics(client, average).readings(0, 1)).toEqual([{ at: 0, value: 600 }]);
  });

  it('refusal names the action and the metric', async () => {
    const client = new CloudWatchClient({ region: 'us-west-2' });
    mockClient(client)
      .on(GetMetricDataCommand)
      .rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));
    await expect(cloudwatchLoadMetrics(client, metric).readings(0, 1)).rejects.toThrow('RequestCount');
  });
});
