import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { S3Client } from '@aws-sdk/client-s3';
import type { ReplicaObjects } from '../../ports/backup/replica-objects.ts';
import type { ReplicationMetrics } from '../../ports/backup/replication-metrics.ts';
import { cloudwatchReplication } from '../cloudwatch/cloudwatch-replication.ts';
import { createS3ObjectStore } from '../s3/s3-object-store.ts';
import type { AwsBase } from './base.ts';
import { recoveryPlace } from './recovery-place.ts';

/** The rule of infra/pulumi/replication.ts. */
const ruleId = 'everything';

/** Objects in the other region, and how they get there; none where the settings say that nothing is backed up. */
export const wireReplicas = (
  base: AwsBase,
): {
  readonly replication: ReplicationMetrics | undefined;
  readonly replica: ReplicaObjects | undefined;
} => {
  const place = recoveryPlace(base);
  if (!place) return { replication: undefined, replica: undefined };
  const { clients, config, deployment } = base;
  const there = clients.in(place.settings.region);
  const { replicaBucket: bucket } = place;
  return {
    replication: cloudwatchReplication(
      {
        here: deployment.standsIn === undefined ? clients.of(CloudWatchClient) : undefined,
        there: there.of(CloudWatchClient),
      },
      { sourceBucket: config.dataBucket, destinationBucket: bucket, ruleId },
    ),
    replica: { bucket, objects: createS3ObjectStore({ client: there.of(S3Client) }) },
  };
};
