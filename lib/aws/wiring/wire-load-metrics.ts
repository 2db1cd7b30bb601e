import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { cloudwatchLoadMetrics } from '../cloudwatch/cloudwatch-load-metrics.ts';
import type { AwsBase } from './base.ts';

/** Load from CloudWatch. */
export const wireLoadMetrics = ({ clients, config }: AwsBase) => ({
  loadMetrics: cloudwatchLoadMetrics(
    clients.of(CloudWatchClient),
    config.scaling.mode === 'off' ? undefined : config.scaling.metric,
  ),
});
