import {
  type BatchClient,
  DescribeComputeEnvironmentsCommand,
  DescribeJobDefinitionsCommand,
  type DescribeJobDefinitionsRequest,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  type JobDefinition,
  type JobDetail,
  type JobStatus,
  ListJobsCommand,
  type ListJobsRequest,
  RegisterJobDefinitionCommand,
  type RegisterJobDefinitionRequest,
  SubmitJobCommand,
  type SubmitJobRequest,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import type { AwsClientStub } from 'aws-sdk-client-mock';
import type { Clock } from '../../lib/ports/clock.ts';
import {
  account,
  arnOf,
  type BatchEvent,
  type BatchQueueNames,
  type CallFault,
  type ContainerFate,
  checkSubmission,
  queueArns,
  region,
  sdkError,
} from './batch-rules.ts';

export { account, type BatchEvent, type ContainerFate, queueArns, region, sdkError } from './batch-rules.ts';

const over = (status: string | undefined) => status === 'SUCCEEDED' || status === 'FAILED';

/** Id of the ECS task that runs a job. */
export const taskIdOf = (jobId: string) => jobId.replaceAll('-', '');

/** The instance that every job runs on. */
const containerInstanceArn =
  'arn:aws:ecs:us-west-2:123456789012:container-instance/epsilon-dev-batch-spot_Batch_1/1';

const taskArnOf = (jobId: string) =>
  `arn:aws:ecs:us-west-2:123456789012:task/epsilon-dev-batch-spot_Batch_1/${taskIdOf(jobId)}`;

/**
 * AWS Batch as far as it is used, in memory: states that move with a clock, names that are not unique, a list that lags,
 * events at least once, and calls that fail when a test says so. It checks what the service checks.
 */
export class BatchStandIn {
  readonly jobs = new Map<string, JobDetail>();
  readonly definitions: JobDefinition[] = [];
  readonly calls: string[] = [];
  readonly clock: Clock;
  /** Milliseconds until a job shows in lists. */
  listLagMs = 0;
  /** Milliseconds from submission to RUNNING, unless it is not placed. */
  startMs = 1_000;
  /** How often each event is delivered. */
  deliveries = 1;
  fate: (job: SubmitJobRequest) => ContainerFate = () => ({ seconds: 1 });
  onEvent: (event: BatchEvent) => void = () => {};
  /** Called when a container ends by itself with 0: it has left its result. */
  onSuccess: (job: JobDetail) => void = () => {};
  readonly #faults = new Map<string, CallFault[]>();
  #ids = 0;

  readonly queues: BatchQueueNames;

  constructor(clock: Clock, queues: BatchQueueNames = queueArns) {
    this.clock = clock;
    this.queues = queues;
  }

  /** Answers the calls of a mocked client class. */
  install(mock: AwsClientStub<BatchClient>): void {
    const answer = <I>(name: string, work: (input: I) => unknown) => {
      return async (input: I) => {
        this.calls.push(name);
        const fault = this.#faults.get(name)?.shift();
        if (fault && !fault.after) throw fault.error;
        const result = work(input);
        if (fault) throw fault.error;
        return result;
      };
    };
    mock
      .on(SubmitJobCommand)
      .callsFake(answer('SubmitJob', (input: SubmitJobRequest) => this.#submit(input)));
    mock.on(ListJobsCommand).callsFake(answer('ListJobs', (input: ListJobsRequest) => this.#list(input)));
    mock.on(DescribeJobsCommand).callsFake(
      answer('DescribeJobs', ({ jobs }: { jobs: string[] }) => {
        if (jobs.length > 100) throw sdkError('ClientException', 'Too many jobs: at most 100.');
        return { jobs: jobs.flatMap((id) => structuredClone(this.jobs.get(id)) ?? []) };
      }),
    );
    mock.on(TerminateJobCommand).callsFake(
      answer('TerminateJob', ({ jobId, reason }: { jobId: string; reason: string }) => {
        if (!this.jobs.has(jobId)) throw sdkError('ClientException', `Job ${jobId} does not exist`);
        this.#terminate(jobId, reason);
        return {};
      }),
    );
    mock
      .on(DescribeJobDefinitionsCommand)
      .callsFake(
        answer('DescribeJobDefinitions', (input: DescribeJobDefinitionsRequest) => this.#described(input)),
      );
    mock
      .on(RegisterJobDefinitionCommand)
      .callsFake(
        answer('RegisterJobDefinition', (input: RegisterJobDefinitionRequest) => this.register(input)),
      );
    mock.on(DescribeJobQueuesCommand).callsFake(
      answer('DescribeJobQueues', ({ jobQueues = [] }: { jobQueues?: string[] }) => ({
        jobQueues: jobQueues.map((jobQueueArn) => ({
          jobQueueArn,
          computeEnvironmentOrder: [
            { order: 1, computeEnvironment: jobQueueArn.replace('job-queue', 'compute-environment') },
          ],
        })),
      })),
    );
    mock.on(DescribeComputeEnvironmentsCommand).callsFake(
      answer(
        'DescribeComputeEnvironments',
        ({ computeEnvironments = [] }: { computeEnvironments?: string[] }) => ({
          computeEnvironments: computeEnvironments.map((arn) => ({
            computeEnvironmentArn: arn,
            ecsClusterArn: `arn:aws:ecs:${region}:${account}:cluster/${arn.split('/')[1]}_Batch`,
          })),
        }),
      ),
    );
  }

  /** Makes the next calls of a name fail. */
  fail(name: string, ...faults: (Error | CallFault)[]): void {
    const more = faults.map((fault) => (fault instanceof Error ? { error: fault } : fault));
    this.#faults.set(name, [...(this.#faults.get(name) ?? []), ...more]);
  }

  register(input: RegisterJobDefinitionRequest): { jobDefinitionArn: string; revision: number } {
    const name = input.jobDefinitionName ?? '';
    const revision = this.definitions.filter((one) => one.jobDefinitionName === name).length + 1;
    const jobDefinitionArn = `${arnOf('job-definition', name)}:${revision}`;
    this.definitions.push({
      ...structuredClone(input),
      jobDefinitionName: name,
      jobDefinitionArn,
      revision,
      status: 'ACTIVE',
      type: 'container',
    });
    return { jobDefinitionArn, revision };
  }

  /** Jobs of a name, in order of submission; Batch lets any number have the same. */
  named(jobName: string): JobDetail[] {
    return [...this.jobs.values()].filter((job) => job.jobName === jobName);
  }

  live(): JobDetail[] {
    return [...this.jobs.values()].filter(({ status }) => !over(status));
  }

  #described({ jobDefinitions, jobDefinitionName, status }: DescribeJobDefinitionsRequest) {
    const found = this.definitions.filter(
      (one) =>
        (jobDefinitions === undefined || jobDefinitions.includes(one.jobDefinitionArn ?? '')) &&
        (jobDefinitionName === undefined || one.jobDefinitionName === jobDefinitionName) &&
        (status === undefined || one.status === status),
    );
    return { jobDefinitions: structuredClone(found) };
  }

  #submit(input: SubmitJobRequest): { jobId: string; jobName: string; jobArn: string } {
    const definition = checkSubmission(input, this);
    this.#ids += 1;
    const jobId = `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
    const jobArn = arnOf('job', jobId);
    const { image, environment = [] } = definition.containerProperties ?? {};
    this.jobs.set(jobId, {
      jobArn,
      jobId,
      jobName: input.jobName ?? '',
      jobQueue: input.jobQueue ?? '',
      status: 'SUBMITTED',
      attempts: [],
      createdAt: this.clock.now(),
      startedAt: 0,
      jobDefinition: input.jobDefinition ?? '',
      parameters: {},
      container: {
        image,
        command: input.containerOverrides?.command,
        environment: [...environment, ...(input.containerOverrides?.environment ?? [])],
        resourceRequirements: input.containerOverrides?.resourceRequirements,
      },
      tags: { ...input.tags, resourceArn: jobArn },
      propagateTags: input.propagateTags ?? false,
      platformCapabilities: ['EC2'],
    });
    this.#schedule(jobId, this.fate(input));
    return { jobId, jobName: input.jobName ?? '', jobArn };
  }

  #schedule(jobId: string, fate: ContainerFate): void {
    this.clock.setTimer(0, () => this.move(jobId, 'RUNNABLE', fate.notPlaced ?? {}));
    if (fate.notPlaced) return;
    this.clock.setTimer(this.startMs, () => {
      this.move(jobId, 'STARTING');
      Object.assign(this.jobs.get(jobId)?.container ?? {}, {
        taskArn: taskArnOf(jobId),
        containerInstanceArn,
      });
      if (fate.notStarted === undefined) this.move(jobId, 'RUNNING');
      else this.end(jobId, { statusReason: 'Task failed to start', reason: fate.notStarted });
    });
    if (fate.seconds === undefined || fate.notStarted !== undefined) return;
    this.clock.setTimer(this.startMs + fate.seconds * 1000, () => {
      const { exitCode = 0, statusReason = 'Essential container in task exited', reason } = fate;
      const lost = statusReason.startsWith('Host EC2');
      this.end(jobId, { ...(lost ? {} : { exitCode }), statusReason, ...(reason ? { reason } : {}) });
    });
  }

  /** Moves a job on, never back, and tells of it. */
  move(jobId: string, status: JobStatus, more: Partial<JobDetail> = {}): void {
    const job = this.jobs.get(jobId);
    if (!job || over(job.status) || (status === 'RUNNABLE' && job.status !== 'SUBMITTED')) return;
    Object.assign(job, { status, ...more });
    if (status === 'RUNNING') job.startedAt = this.clock.now();
    if (over(status)) job.stoppedAt = this.clock.now();
    this.#tell(job);
  }

  /** Ends a job as its container or its host ends it. */
  end(
    jobId: string,
    { exitCode, reason, ...more }: { exitCode?: number; reason?: string; statusReason?: string },
  ): void {
    const job = this.jobs.get(jobId);
    if (!job || over(job.status)) return;
    job.container = {
      ...job.container,
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(reason === undefined ? {} : { reason }),
    };
    if (exitCode === 0) this.onSuccess(job);
    this.move(jobId, exitCode === 0 ? 'SUCCEEDED' : 'FAILED', more);
  }

  #terminate(jobId: string, reason: string): void {
    const job = this.jobs.get(jobId);
    if (!job || over(job.status)) return;
    const started = job.status === 'RUNNING' || job.status === 'STARTING';
    job.isCancelled = !started;
    job.isTerminated = started;
    this.end(jobId, { ...(started ? { exitCode: 143 } : {}), statusReason: reason });
  }

  #tell(job: JobDetail): void {
    for (let delivery = 0; delivery < this.deliveries; delivery += 1) this.onEvent(this.eventOf(job));
  }

  /** The event that says how a job stands. */
  eventOf(job: JobDetail): BatchEvent {
    return {
      version: '0',
      id: 'c8f9c4b5-76e5-d76a-f980-7011e206042b',
      'detail-type': 'Batch Job State Change',
      source: 'aws.batch',
      account,
      time: new Date(this.clock.now()).toISOString(),
      region,
      resources: [job.jobArn ?? ''],
      detail: structuredClone(job),
    };
  }

  #list({ jobQueue, jobStatus = 'RUNNING', filters, maxResults = 100, nextToken }: ListJobsRequest) {
    const name = filters?.find((filter) => filter.name === 'JOB_NAME')?.values?.[0]?.toLowerCase();
    const seen = [...this.jobs.values()].filter(
      (job) =>
        job.jobQueue === jobQueue &&
        this.clock.now() - (job.createdAt ?? 0) >= this.listLagMs &&
        (name === undefined ? job.status === jobStatus : job.jobName?.toLowerCase() === name),
    );
    const newestFirst = seen.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
    const from = Number(nextToken ?? 0);
    const page = newestFirst.slice(from, from + maxResults);
    return {
      jobSummaryList: page.map(({ jobId, jobName, status, createdAt }) => ({
        jobId,
        jobName,
        status,
        createdAt,
      })),
      ...(from + maxResults < newestFirst.length ? { nextToken: String(from + maxResults) } : {}),
    };
  }
}
