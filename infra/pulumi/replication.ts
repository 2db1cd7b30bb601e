import { BucketReplicationConfig } from '@pulumi/aws/s3/bucketReplicationConfig.js';
import { interpolate } from '@pulumi/pulumi';
import type { GuardedBucket } from './bucket.ts';
import { createIdentity, trustService } from './identity.ts';
import type { Keys } from './keys.ts';
import type { Site } from './site.ts';

function createReplicator(site: Site, keys: Keys, pair: { data: GuardedBucket; replica: GuardedBucket }) {
  const { region, disasterRecoveryRegion } = site.config;
  const via = (where: string) => ({ StringEquals: { 'kms:ViaService': `s3.${where}.amazonaws.com` } });
  return createIdentity(site, 'replication', {
    trust: [trustService(site, 's3.amazonaws.com')],
    allow: [
      {
        Effect: 'Allow',
        Action: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
        Resource: pair.data.bucket.arn,
      },
      {
        Effect: 'Allow',
        Action: ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
        Resource: interpolate`${pair.data.bucket.arn}/*`,
      },
      {
        Effect: 'Allow',
        Action: ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'],
        Resource: interpolate`${pair.replica.bucket.arn}/*`,
      },
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: keys.data.arn, Condition: via(region) },
      {
        Effect: 'Allow',
        Action: ['kms:Encrypt', 'kms:GenerateDataKey'],
        Resource: keys.replica.arn,
        Condition: via(disasterRecoveryRegion),
      },
    ],
  });
}

/** What S3's own jobs copy with that repair replication; only a function that assesses it passes this role on. */
function createRepairer(site: Site, keys: Keys, data: GuardedBucket): void {
  const { region } = site.config;
  const via = { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } };
  createIdentity(site, 'replication-repair', {
    trust: [trustService(site, 'batchoperations.s3.amazonaws.com')],
    allow: [
      {
        Effect: 'Allow',
        Action: ['s3:GetReplicationConfiguration', 's3:PutInventoryConfiguration'],
        Resource: data.bucket.arn,
      },
      { Effect: 'Allow', Action: 's3:InitiateReplication', Resource: interpolate`${data.bucket.arn}/*` },
      {
        Effect: 'Allow',
        Action: 's3:PutObject',
        Resource: interpolate`${data.bucket.arn}/recovery/repairs/*`,
      },
      { Effect: 'Allow', Action: 'kms:GenerateDataKey', Resource: keys.data.arn, Condition: via },
    ],
  });
}

/** Replicates every new object to the other region, within 15 minutes by Replication Time Control, with its metrics. */
export function createReplication(
  site: Site,
  keys: Keys,
  pair: { data: GuardedBucket; replica: GuardedBucket },
): void {
  createRepairer(site, keys, pair.data);
  const replicator = createReplicator(site, keys, pair);
  new BucketReplicationConfig(
    site.name('replication'),
    {
      bucket: pair.data.bucket.id,
      role: replicator.arn,
      rules: [
        {
          id: 'everything',
          priority: 1,
          status: 'Enabled',
          filter: { prefix: '' },
          // A deletion here, by mistake or malice, must not empty the replica.
          deleteMarkerReplication: { status: 'Disabled' },
          sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
          destination: {
            bucket: pair.replica.bucket.arn,
            storageClass: 'STANDARD_IA',
            encryptionConfiguration: { replicaKmsKeyId: keys.replica.arn },
            replicationTime: { status: 'Enabled', time: { minutes: 15 } },
            metrics: { status: 'Enabled', eventThreshold: { minutes: 15 } },
          },
        },
      ],
    },
    { ...site.here, dependsOn: [pair.data.versioning, pair.replica.versioning, ...replicator.ready] },
  );
}
