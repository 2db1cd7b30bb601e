import { GetBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateJobCommand, DescribeJobCommand, type S3ControlClient } from '@aws-sdk/client-s3-control';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { RepairState, ReplicationControl } from '../../ports/backup/replication-control.ts';
import { explained } from '../errors/service-errors.ts';
import { readReplicationEvents } from './replication-events.ts';

/** What a repair works on. */
export interface RepairPlace {
  readonly accountId: string;
  readonly partition: string;
  readonly sourceBucket: string;
  readonly destinationBucket: string;
  /** Queue of the events of failed replication. */
  readonly queue: string;
  /** Role that S3 copies with (infra/pulumi/replication.ts). */
  readonly roleArn: string;
}

/** Where S3 writes what it could not copy. */
const reports = 'recovery/repairs';

/** Words of jobs that are over. */
const over: Readonly<Record<string, RepairState['state']>> = {
  Complete: 'done',
  Cancelled: 'failed',
  Failed: 'failed',
  Suspended: 'failed',
  Paused: 'failed',
};

/** Replication of S3: `here` and `there` are clients of the two regions, `control` and `events` are of the source's. */
export function s3ReplicationControl(
  clients: {
    readonly here: S3Client;
    readonly there: S3Client;
    readonly control: S3ControlClient;
    readonly events: SQSClient;
  },
  place: RepairPlace,
): ReplicationControl {
  const { accountId, partition, sourceBucket, destinationBucket, roleArn } = place;
  const source = `arn:${partition}:s3:::${sourceBucket}`;
  const isVersioned = async (client: S3Client, Bucket: string) => {
    const { Status } = await explained('s3:GetBucketVersioning', Bucket, () =>
      client.send(new GetBucketVersioningCommand({ Bucket })),
    );
    return Status === 'Enabled';
  };
  return {
    unversioned: async () => {
      const looks = [
        [sourceBucket, await isVersioned(clients.here, sourceBucket)],
        [destinationBucket, await isVersioned(clients.there, destinationBucket)],
      ] as const;
      return looks.flatMap(([bucket, kept]) => (kept ? [] : [bucket]));
    },
    failures: () => readReplicationEvents(clients.events, place.queue),
    repair: async (token) => {
      const { JobId } = await explained('s3:CreateJob', sourceBucket, () =>
        clients.control.send(
          new CreateJobCommand({
            AccountId: accountId,
            ClientRequestToken: token,
            ConfirmationRequired: false,
            Description: 'Copies to the other region what replication has not',
            Operation: { S3ReplicateObject: {} },
            Priority: 10,
            RoleArn: roleArn,
            ManifestGenerator: {
              S3JobManifestGenerator: {
                ExpectedBucketOwner: accountId,
                SourceBucket: source,
                EnableManifestOutput: false,
                Filter: { EligibleForReplication: true, ObjectReplicationStatuses: ['FAILED', 'NONE'] },
              },
            },
            Report: {
              Enabled: true,
              Bucket: source,
              Prefix: reports,
              Format: 'Report_CSV_20180820',
              ReportScope: 'FailedTasksOnly',
              ExpectedBucketOwner: accountId,
            },
          }),
        ),
      );
      return JobId ?? '';
    },
    repairState: async (id): Promise<RepairState> => {
      const { Job } = await explained('s3:DescribeJob', id, () =>
        clients.control.send(new DescribeJobCommand({ AccountId: accountId, JobId: id })),
      );
      const { TotalNumberOfTasks: objects, NumberOfTasksFailed: failed } = Job?.ProgressSummary ?? {};
      const because = Job?.FailureReasons?.[0]?.FailureReason ?? Job?.StatusUpdateReason;
      const state = over[Job?.Status ?? ''] ?? 'running';
      return {
        state,
        ...(objects === undefined ? {} : { objects }),
        ...(failed === undefined ? {} : { failed }),
        ...(state !== 'failed' || because === undefined ? {} : { because }),
      };
    },
  };
}
