import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { ProvisioningFigures } from '../../ports/backup/provisioning.ts';
import { explained } from '../errors/service-errors.ts';

/** Seconds of a datapoint, and how many days CloudWatch keeps those. */
const day = 86_400;
const keptDays = 455;

/** What infra/provision.sh notes in CloudWatch, day by day. */
export function cloudwatchProvisioning(client: CloudWatchClient, environment: string): ProvisioningFigures {
  const metric = {
    Namespace: 'Epsilon/Infrastructure',
    MetricName: 'ProvisioningSeconds',
    Dimensions: [{ Name: 'environment', Value: environment }],
  };
  return {
    newest: async (now) => {
      const { MetricDataResults: [found] = [] } = await explained(
        'cloudwatch:GetMetricData',
        metric.Namespace,
        () =>
          client.send(
            new GetMetricDataCommand({
              StartTime: new Date(now - keptDays * day * 1_000),
              EndTime: new Date(now),
              ScanBy: 'TimestampDescending',
              MetricDataQueries: [
                { Id: 'took', MetricStat: { Metric: metric, Period: day, Stat: 'Maximum' } },
              ],
            }),
          ),
      );
      const [seconds] = found?.Values ?? [];
      const [at] = found?.Timestamps ?? [];
      return seconds === undefined || at === undefined
        ? undefined
        : { milliseconds: seconds * 1_000, at: at.toISOString() };
    },
  };
}
