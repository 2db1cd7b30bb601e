import {
  BatchClient,
  type BatchClientConfig,
  type ComputeEnvironmentDetail,
  DescribeComputeEnvironmentsCommand,
  DescribeJobDefinitionsCommand,
  type DescribeJobDefinitionsRequest,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  type JobDefinition,
  type JobDetail,
  type JobQueueDetail,
  type JobSummary,
  ListJobsCommand,
  RegisterJobDefinitionCommand,
  type RegisterJobDefinitionRequest,
  SubmitJobCommand,
  type SubmitJobRequest,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import { explainBatchError, isUnknownJob } from './batch-errors.ts';
import type { CallBudget } from './call-budget.ts';

/** A client that never repeats a call by itself: SubmitJob has no idempotency token, so a repeated one makes a second job. */
export class NonRetryingBatchClient extends BatchClient {
  constructor(options: BatchClientConfig) {
    super({ ...options, maxAttempts: 1 });
  }
}

/** Ids one DescribeJobs takes. */
const mostIds = 100;

/** What the calls are made with. */
export interface BatchCallsOptions {
  readonly client: BatchClient;
  /** For SubmitJob alone. */
  readonly nonRetrying: NonRetryingBatchClient;
  readonly budget: CallBudget;
}

/** The calls to Batch that are made, each paid from the budget and with Epsilon's errors. */
export interface BatchCalls {
  submit(input: SubmitJobRequest): Promise<string>;
  /** Jobs of that very name in a queue, any status, as far as Batch's list shows them by now. */
  named(queue: string, jobName: string): Promise<JobSummary[]>;
  /** Details by job id, 100 a call; ids that Batch does not know are left out. */
  describe(jobIds: readonly string[]): Promise<JobDetail[]>;
  /** Stops a job in any state; a job that is over or unknown is left as it is. */
  terminate(jobId: string, reason: string): Promise<void>;
  definitions(input: DescribeJobDefinitionsRequest): Promise<JobDefinition[]>;
  register(input: RegisterJobDefinitionRequest): Promise<string>;
  queues(arns: readonly string[]): Promise<JobQueueDetail[]>;
  environments(arns: readonly string[]): Promise<ComputeEnvironmentDetail[]>;
}

/** Makes the calls. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function createBatchCalls({ client, nonRetrying, budget }: BatchCallsOptions): BatchCalls {
  const call = async <T>(
    action: string,
    resource: string,
    work: () => Promise<T>,
    urgency?: 'urgent',
  ): Promise<T> => {
    await budget.spend(urgency);
    try {
      return await work();
    } catch (error) {
      throw explainBatchError(error, `batch:${action}`, resource);
    }
  };

  async function named(queue: string, jobName: string): Promise<JobSummary[]> {
    const found: JobSummary[] = [];
    let nextToken: string | undefined;
    do {
      const page = await call('ListJobs', queue, () =>
        client.send(
          new ListJobsCommand({
            jobQueue: queue,
            filters: [{ name: 'JOB_NAME', values: [jobName] }],
            ...(nextToken ? { nextToken } : {}),
          }),
        ),
      );
      // The filter ignores case.
      found.push(...(page.jobSummaryList ?? []).filter((job) => job.jobName === jobName));
      nextToken = page.nextToken;
    } while (nextToken);
    return found;
  }

  async function describe(jobIds: readonly string[]): Promise<JobDetail[]> {
    const found: JobDetail[] = [];
    for (let first = 0; first < jobIds.length; first += mostIds) {
      const jobs = jobIds.slice(first, first + mostIds);
      const page = await call(
        'DescribeJobs',
        `${jobs.length} jobs`,
        () => client.send(new DescribeJobsCommand({ jobs })),
        'urgent',
      );
      found.push(...(page.jobs ?? []));
    }
    return found;
  }

  async function terminate(jobId: string, reason: string): Promise<void> {
    const work = () =>
      client.send(new TerminateJobCommand({ jobId, reason })).catch((error: unknown) => {
        if (!isUnknownJob(error)) throw error;
      });
    await call('TerminateJob', jobId, work, 'urgent');
  }

  return {
    submit: async (input) => {
      const { jobId = '' } = await call('SubmitJob', input.jobQueue ?? '', () =>
        nonRetrying.send(new SubmitJobCommand(input)),
      );
      return jobId;
    },
    named,
    describe,
    terminate,
    definitions: async (input) => {
      const { jobDefinitions = [] } = await call(
        'DescribeJobDefinitions',
        input.jobDefinitionName ?? input.jobDefinitions?.join(', ') ?? '',
        () => client.send(new DescribeJobDefinitionsCommand(input)),
      );
      return jobDefinitions;
    },
    register: async (input) => {
      const { jobDefinitionArn = '' } = await call(
        'RegisterJobDefinition',
        input.jobDefinitionName ?? '',
        () => client.send(new RegisterJobDefinitionCommand(input)),
      );
      return jobDefinitionArn;
    },
    queues: async (arns) => {
      const { jobQueues = [] } = await call('DescribeJobQueues', arns.join(', '), () =>
        client.send(new DescribeJobQueuesCommand({ jobQueues: [...arns] })),
      );
      return jobQueues;
    },
    environments: async (arns) => {
      const { computeEnvironments = [] } = await call('DescribeComputeEnvironments', arns.join(', '), () =>
        client.send(new DescribeComputeEnvironmentsCommand({ computeEnvironments: [...arns] })),
      );
      return computeEnvironments;
    },
  };
}
