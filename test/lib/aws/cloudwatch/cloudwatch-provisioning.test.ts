import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { cloudwatchProvisioning } from '../../../../lib/aws/cloudwatch/cloudwatch-provisioning.ts';
import { watchProvisioning } from '../../../../lib/operations/backup/watch-provisioning.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';

const day = 86_400_000;
const clock = new VirtualClock(Date.parse('2026-11-27T12:00:00Z'));

/** What is said with these datapoints in CloudWatch, newest first, each of a day. */
async function said(points: readonly (readonly [at: string, seconds: number])[]) {
  const client = new CloudWatchClient({ region: 'us-west-2' });
  const mock = mockClient(client);
  mock.on(GetMetricDataCommand).resolves({
    MetricDataResults: [
      { Timestamps: points.map(([at]) => new Date(at)), Values: points.map(([, seconds]) => seconds) },
    ],
  });
  const durations: Record<string, number> = {};
  await watchProvisioning({
    provisioning: cloudwatchProvisioning(client, 'prod'),
    clock,
    metrics: {
      count: () => {},
      duration: (name, milliseconds) => {
        durations[name] = milliseconds;
      },
    },
  });
  return { durations, asked: mock.commandCalls(GetMetricDataCommand)[0]?.args[0].input };
}

describe('a measured provisioning', () => {
  it('is the newest measurement that CloudWatch keeps, and its age, however old', async () => {
    const { durations, asked } = await said([
      ['2026-06-01T00:00:00Z', 1_500],
      ['2026-05-01T00:00:00Z', 2_400],
    ]);
    expect(durations).toEqual({
      ProvisioningDuration: 1_500_000,
      ProvisioningAge: clock.now() - Date.parse('2026-06-01T00:00:00Z'),
    });
    const { StartTime, MetricDataQueries: [query] = [], ScanBy } = asked ?? {};
    expect(clock.now() - (StartTime?.getTime() ?? 0)).toBe(455 * day);
    expect({ ScanBy, metric: query?.MetricStat?.Metric }).toEqual({
      ScanBy: 'TimestampDescending',
      // As infra/provision.sh writes it.
      metric: {
        Namespace: 'Epsilon/Infrastructure',
        MetricName: 'ProvisioningSeconds',
        Dimensions: [{ Name: 'environment', Value: 'prod' }],
      },
    });
  });

  it('is nothing where nothing was measured: such an environment was made by hand', async () => {
    expect((await said([])).durations).toEqual({});
  });
});
