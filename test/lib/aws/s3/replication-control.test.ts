import { GetBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateJobCommand, DescribeJobCommand, S3ControlClient } from '@aws-sdk/client-s3-control';
import { SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { s3ReplicationControl } from '../../../../lib/aws/s3/replication-control.ts';
import { sdkError } from '../../../aws/batch-stand-in.ts';

const s3 = mockClient(S3Client);
const jobs = mockClient(S3ControlClient);
const place = {
  accountId: '123456789012',
  partition: 'aws',
  queue: 'epsilon-dev-replication-events',
  sourceBucket: 'data',
  destinationBucket: 'data-replica',
  roleArn: 'arn:aws:iam::123456789012:role/epsilon-dev-replication-repair',
};
const client = new S3Client({ region: 'us-west-2' });
const control = s3ReplicationControl(
  {
    here: client,
    there: client,
    control: new S3ControlClient({ region: 'us-west-2' }),
    events: new SQSClient({ region: 'us-west-2' }),
  },
  place,
);

beforeEach(() => {
  s3.reset();
  jobs.reset();
});

describe('replication of S3', () => {
  it.each([
    [{}, ['data']],
    [{ Status: 'Suspended' as const }, ['data']],
    [{ Status: 'Enabled' as const }, []],
  ])('bucket that says %j of its versions keeps them, or is named', async (answer, named) => {
    s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
    s3.on(GetBucketVersioningCommand, { Bucket: 'data' }).resolves(answer);
    expect(await control.unversioned()).toEqual(named);
  });

  it('repair copies what failed or was never tried, and nothing that arrived', async () => {
    jobs.on(CreateJobCommand).resolves({ JobId: 'job-1' });
    expect(await control.repair('epsilon-2026-11-24T02')).toBe('job-1');
    expect(jobs.commandCalls(CreateJobCommand)[0]?.args[0].input).toMatchObject({
      AccountId: place.accountId,
      ClientRequestToken: 'epsilon-2026-11-24T02',
      ConfirmationRequired: false,
      Operation: { S3ReplicateObject: {} },
      RoleArn: place.roleArn,
      ManifestGenerator: {
        S3JobManifestGenerator: {
          SourceBucket: 'arn:aws:s3:::data',
          Filter: { EligibleForReplication: true, ObjectReplicationStatuses: ['FAILED', 'NONE'] },
        },
      },
      Report: { Bucket: 'arn:aws:s3:::data', Prefix: 'recovery/repairs', ReportScope: 'FailedTasksOnly' },
    });
  });

  it.each([
    ['New', 'running'],
    ['Preparing', 'running'],
    ['Suspended', 'failed'],
    ['Active', 'running'],
    ['Completing', 'running'],
    ['Complete', 'done'],
    ['Cancelled', 'failed'],
    ['Failed', 'failed'],
  ] as const)('job that is %s is %s', async (Status, state) => {
    jobs.on(DescribeJobCommand).resolves({
      Job: {
        Status,
        ProgressSummary: { TotalNumberOfTasks: 5, NumberOfTasksSucceeded: 4, NumberOfTasksFailed: 1 },
        FailureReasons: [{ FailureCode: 'x', FailureReason: 'no manifest' }],
      },
    });
    const because = state === 'failed' ? { because: 'no manifest' } : {};
    expect(await control.repairState('job-1')).toEqual({ state, objects: 5, failed: 1, ...because });
  });

  it('right that is missing is named', async () => {
    jobs.on(CreateJobCommand).rejects(sdkError('AccessDenied'));
    await expect(control.repair('t')).rejects.toMatchObject({ code: 'AWS_ACCESS_DENIED' });
  });
});
