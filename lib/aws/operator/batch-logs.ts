import {
  type BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
} from '@aws-sdk/client-batch';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { NotFound } from '../../errors/store-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobLogs, LogChunk, LoggedJob } from '../../ports/job-logs.ts';
import { explained } from '../errors/service-errors.ts';
import { LogTail } from './log-tail.ts';

/** Where Batch writes when a job definition says nothing else. */
const usualGroup = '/aws/batch/job';

/** Milliseconds after a job's end in which its last lines may still be on their way. */
export const linesOnTheirWay = 15_000;

/** What the logs of Batch jobs are made of. */
export interface BatchLogsOptions {
  readonly batch: BatchClient;
  readonly logs: CloudWatchLogsClient;
  readonly clock: Clock;
  /** Queues that a job of Epsilon may be in. */
  readonly queues: readonly string[];
}

interface Found {
  readonly job: JobDetail;
  readonly tail?: LogTail;
}

const isOver = ({ status }: JobDetail) => status === 'SUCCEEDED' || status === 'FAILED';

/** A job's line of output, as it was written. */
const line = (message: string) => `${message}\n`;

/** Logs of Batch jobs. Batch keeps one stream for both outputs, so `stdout` is all of it. */
export function createBatchLogs({ batch, logs, clock, queues }: BatchLogsOptions): JobLogs {
  const known = new Map<string, Found>();

  /** The newest job of a name: an attempt whose submission was not recorded is found this way. */
  async function idOf(jobName: string): Promise<string | undefined> {
    for (const jobQueue of queues) {
      const call = new ListJobsCommand({ jobQueue, filters: [{ name: 'JOB_NAME', values: [jobName] }] });
      const { jobSummaryList = [] } = await explained('batch:ListJobs', jobQueue, () => batch.send(call));
      const [newest] = jobSummaryList.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
      if (newest?.jobId) return newest.jobId;
    }
    return undefined;
  }

  async function describe(job: LoggedJob): Promise<JobDetail> {
    const jobId = job.jobId ?? (await idOf(job.jobName));
    if (jobId !== undefined) {
      const call = new DescribeJobsCommand({ jobs: [jobId] });
      const { jobs = [] } = await explained('batch:DescribeJobs', jobId, () => batch.send(call));
      if (jobs[0]) return jobs[0];
    }
    throw new NotFound(
      'JOB_NOT_FOUND',
      `Batch has no job ${job.jobName}; it deletes jobs seven days after their end, but their lines remain in CloudWatch Logs group ${usualGroup}.`,
    );
  }

  async function look(job: LoggedJob): Promise<Found> {
    const before = known.get(job.jobName);
    if (before && isOver(before.job)) return before;
    const detail = await describe(job);
    const stream = detail.container?.logStreamName;
    const group = detail.container?.logConfiguration?.options?.['awslogs-group'] ?? usualGroup;
    const tail = before?.tail ?? (stream ? new LogTail(logs, { group, stream }, line) : undefined);
    const found = { job: detail, ...(tail ? { tail } : {}) };
    known.set(job.jobName, found);
    return found;
  }

  return {
    read: async (job, stream, fromByte): Promise<LogChunk> => {
      const { job: detail, tail } = await look(job);
      const over = isOver(detail) && clock.now() - (detail.stoppedAt ?? 0) >= linesOnTheirWay;
      if (stream === 'stderr' || !tail)
        return { text: '', nextByte: fromByte, ended: stream === 'stderr' || over };
      try {
        const { text, nextByte, drained } = await tail.read(fromByte);
        return { text, nextByte, ended: drained && over };
      } catch (error) {
        // The stream appears with the first line.
        if (!(error instanceof NotFound) || isOver(detail)) throw error;
        return { text: '', nextByte: fromByte, ended: false };
      }
    },
  };
}
