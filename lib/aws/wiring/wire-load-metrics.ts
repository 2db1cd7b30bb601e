import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { configuredLoadMetrics } from '../../system/load-metrics.ts';
import { cloudwatchReadings } from '../cloudwatch/cloudwatch-load-metrics.ts';
import type { AwsBase } from './base.ts';

/** Load and use from CloudWatch, or from Prometheus where the settings name queries. */
export const wireLoadMetrics = ({ clients, config }: AwsBase) => ({
  loadMetrics: configuredLoadMetrics(config.scaling, (metric, times) =>
    cloudwatchReadings(clients.of(CloudWatchClient), metric, times),
  ),
});
