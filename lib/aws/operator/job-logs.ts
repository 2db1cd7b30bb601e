import type { BatchClient } from '@aws-sdk/client-batch';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { NotFound } from '../../errors/store-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobLogs } from '../../ports/job-logs.ts';
import { createBatchLogs } from './batch-logs.ts';
import { createPodLogs } from './pod-logs.ts';

/** What the logs are made of. */
export interface AwsJobLogsOptions {
  readonly batch: BatchClient;
  readonly logs: CloudWatchLogsClient;
  readonly clock: Clock;
  readonly environment: string;
  readonly queues: readonly string[];
}

/** Logs of jobs, wherever their backend keeps them. */
export function createAwsJobLogs({ environment, ...options }: AwsJobLogsOptions): JobLogs {
  const batch = createBatchLogs(options);
  const pods = createPodLogs({ ...options, group: `/epsilon/${environment}/pods` });
  return {
    read: (job, stream, fromByte) => {
      if (job.backend === 'batch') return batch.read(job, stream, fromByte);
      if (job.backend === 'eks') return pods.read(job, stream, fromByte);
      throw new NotFound('JOB_NOT_FOUND', `Job ${job.jobName} ran on backend "${job.backend}", not on AWS.`);
    },
  };
}
