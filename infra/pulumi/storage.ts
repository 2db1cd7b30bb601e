import type { Bucket } from '@pulumi/aws/s3/bucket.js';
import { BucketLifecycleConfiguration } from '@pulumi/aws/s3/bucketLifecycleConfiguration.js';
import { BucketLogging } from '@pulumi/aws/s3/bucketLogging.js';
import { BucketNotification } from '@pulumi/aws/s3/bucketNotification.js';
import { interpolate } from '@pulumi/pulumi';
import { contentTag } from '../../lib/objects/object-content.ts';
import { createBucket } from './bucket.ts';
import type { Keys } from './keys.ts';
import { createReplication } from './replication.ts';
import { createReplicationQueue, replicationEvents } from './replication-queue.ts';
import type { Site } from './site.ts';

/** The data bucket and its replica in the other region. */
export interface Storage {
  readonly data: Bucket;
  readonly replica: Bucket;
}

const tidy = {
  id: 'tidy',
  status: 'Enabled',
  filter: { prefix: '' },
  abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
};

function dataRules(site: Site): ConstructorParameters<typeof BucketLifecycleConfiguration>[1]['rules'] {
  const { intelligentTieringDays, glacierDays, logExpiryDays, noncurrentExpiryDays } = site.config.storage;
  const tagged = (value: string) => ({ tag: { key: contentTag, value } });
  return [
    {
      id: 'intelligent-tiering',
      status: 'Enabled',
      filter: { prefix: '' },
      transitions: [{ days: intelligentTieringDays, storageClass: 'INTELLIGENT_TIERING' }],
    },
    ...['raw', 'training'].map((content) => ({
      id: `${content}-to-glacier`,
      status: 'Enabled',
      filter: tagged(content),
      // Instant: a job reads old documents every night, and a rollback old training data; neither can wait hours.
      transitions: [{ days: glacierDays, storageClass: 'GLACIER_IR' }],
    })),
    { id: 'logs-expire', status: 'Enabled', filter: tagged('log'), expiration: { days: logExpiryDays } },
    {
      id: 'old-versions-expire',
      status: 'Enabled',
      filter: { prefix: '' },
      noncurrentVersionExpiration: { noncurrentDays: noncurrentExpiryDays },
    },
    tidy,
    // What remains of an object once its last version is gone.
    {
      id: 'delete-markers-go',
      status: 'Enabled',
      filter: { prefix: '' },
      expiration: { expiredObjectDeleteMarker: true },
    },
    // What states hand on, and exports: nothing reads it after a redrive or a restore, both of which are sooner.
    ...['nights/', 'quality/', 'recovery/exports/'].map((prefix) => ({
      id: `${prefix.replaceAll('/', '-')}expire`,
      status: 'Enabled',
      filter: { prefix },
      expiration: { days: noncurrentExpiryDays },
    })),
  ];
}

function createLogBuckets(site: Site): { here: Bucket; there: Bucket } {
  const { logExpiryDays } = site.config.storage;
  const make = (name: string, region: Site['here']) => {
    const { bucket, versioning } = createBucket({
      name,
      region,
      allow: (target) => [
        {
          Effect: 'Allow',
          Principal: { Service: 'logging.s3.amazonaws.com' },
          Action: 's3:PutObject',
          Resource: interpolate`${target.arn}/*`,
          Condition: { StringEquals: { 'aws:SourceAccount': site.accountId } },
        },
      ],
    });
    new BucketLifecycleConfiguration(
      name,
      {
        bucket: bucket.id,
        rules: [
          {
            id: 'logs-expire',
            status: 'Enabled',
            filter: { prefix: '' },
            expiration: { days: logExpiryDays },
            noncurrentVersionExpiration: { noncurrentDays: 1 },
          },
          tidy,
        ],
      },
      { ...region, dependsOn: [versioning] },
    );
    return bucket;
  };
  const { dataBucket } = site.config;
  return {
    here: make(`${dataBucket}-logs`, site.here),
    there: make(`${dataBucket}-replica-logs`, site.there),
  };
}

/** Creates data bucket, replica, their access logs, lifecycle and replication. */
export function createStorage(site: Site, keys: Keys): Storage {
  const { dataBucket } = site.config;
  const logs = createLogBuckets(site);
  const data = createBucket({ name: dataBucket, region: site.here, key: keys.data });
  const replica = createBucket({ name: `${dataBucket}-replica`, region: site.there, key: keys.replica });
  const parts = [
    { part: data, region: site.here, target: logs.here, name: dataBucket },
    { part: replica, region: site.there, target: logs.there, name: `${dataBucket}-replica` },
  ];
  for (const { part, region, target, name } of parts) {
    new BucketLogging(name, { bucket: part.bucket.id, targetBucket: target.id, targetPrefix: 's3/' }, region);
    new BucketLifecycleConfiguration(
      name,
      { bucket: part.bucket.id, rules: dataRules(site) },
      { ...region, dependsOn: [part.versioning] },
    );
  }
  const failures = createReplicationQueue(site, data);
  new BucketNotification(
    dataBucket,
    {
      bucket: data.bucket.id,
      eventbridge: true,
      queues: [{ id: 'failed-replication', queueArn: failures.arn, events: replicationEvents }],
    },
    // S3 tries the queue before it takes the notification.
    { ...site.here, dependsOn: [failures.ready] },
  );
  createReplication(site, keys, { data, replica });
  return { data: data.bucket, replica: replica.bucket };
}
