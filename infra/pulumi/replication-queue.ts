import { Queue } from '@pulumi/aws/sqs/queue.js';
import { QueuePolicy } from '@pulumi/aws/sqs/queuePolicy.js';
import type { Output } from '@pulumi/pulumi';
import type { GuardedBucket } from './bucket.ts';
import { document } from './identity.ts';
import type { Site } from './site.ts';

/** Events of S3 that EventBridge does not carry: an operation failed, or is no longer counted by the metrics. */
export const replicationEvents = [
  's3:Replication:OperationFailedReplication',
  's3:Replication:OperationNotTracked',
];

/**
 * Creates the queue of failed operations of replication, which the hourly backup reads (`lib/aws/s3/replication-events.ts`), and gives what
 * the bucket's notification needs to know of it, once S3 may write there.
 */
export function createReplicationQueue(
  site: Site,
  { bucket }: GuardedBucket,
): { readonly arn: Output<string>; readonly ready: QueuePolicy } {
  const name = site.name('replication-events');
  const queue = new Queue(
    name,
    {
      name,
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: 14 * 86_400,
      // Longer than the function may run: what it read comes again only when it did not come to its end.
      visibilityTimeoutSeconds: 960,
    },
    site.here,
  );
  const ready = new QueuePolicy(
    name,
    {
      queueUrl: queue.url,
      policy: document([
        {
          Effect: 'Allow',
          Principal: { Service: 's3.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: queue.arn,
          Condition: {
            ArnEquals: { 'aws:SourceArn': bucket.arn },
            StringEquals: { 'aws:SourceAccount': site.accountId },
          },
        },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'sqs:*',
          Resource: queue.arn,
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ]),
    },
    site.here,
  );
  return { arn: queue.arn, ready };
}
