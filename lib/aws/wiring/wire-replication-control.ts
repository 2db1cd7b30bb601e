import { S3Client } from '@aws-sdk/client-s3';
import { S3ControlClient } from '@aws-sdk/client-s3-control';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { ReplicationControl } from '../../ports/backup/replication-control.ts';
import { s3ReplicationControl } from '../s3/replication-control.ts';
import type { AwsBase } from './base.ts';
import { recoveryPlace } from './recovery-place.ts';

/** Replication of the data bucket, in S3; none where the settings say that nothing is backed up. */
export const wireReplicationControl = (
  base: AwsBase,
): { readonly replicationControl: ReplicationControl | undefined } => {
  const place = recoveryPlace(base);
  if (!place) return { replicationControl: undefined };
  const { clients, config, deployment } = base;
  const { accountId, partition } = deployment;
  return {
    replicationControl: s3ReplicationControl(
      {
        here: clients.of(S3Client),
        there: clients.in(place.settings.region).of(S3Client),
        control: clients.of(S3ControlClient),
        events: clients.of(SQSClient),
      },
      {
        accountId,
        partition,
        sourceBucket: config.dataBucket,
        destinationBucket: place.replicaBucket,
        queue: `epsilon-${config.environment}-replication-events`,
        roleArn: `arn:${partition}:iam::${accountId}:role/epsilon-${config.environment}-replication-repair`,
      },
    ),
  };
};
