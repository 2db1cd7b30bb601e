import type { JobDetail } from '@aws-sdk/client-batch';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import {
  type BatchJob,
  identityOfBatchJob,
  markedStopReason,
  observationOfBatchJob,
} from '../../event-schemas/batch-job.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { Log } from '../../ports/log.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { AttemptKey } from '../../ports/run-store.ts';
import { isOver, type JobObservation, type JobRef, type JobSpec } from '../../training/attempts/job.ts';
import { readResultOfEnd, resultFields } from '../../training/attempts/job-result.ts';
import type { Place } from '../../training/run.ts';
import { isStage } from '../../training/stages.ts';
import type { BatchCalls } from './batch-calls.ts';
import type { CallBudget } from './call-budget.ts';
import type { JobDefinitions } from './job-definitions.ts';
import { type BatchDeployment, submitInputOf } from './submit-input.ts';

/** Queues by capacity. */
export interface BatchQueues {
  readonly spot: string;
  readonly 'on-demand': string;
}

/** What the runner is made of. */
export interface BatchJobRunnerOptions {
  readonly calls: BatchCalls;
  readonly definitions: JobDefinitions;
  /** Where jobs leave their results. */
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly instanceJobs: (instanceId: string) => Promise<readonly AttemptKey[]>;
  /** Type and zone of container instances, by ARN. */
  readonly instancePlaces: (arns: readonly string[]) => Promise<ReadonlyMap<string, Place>>;
  readonly queues: BatchQueues;
  /** Submissions of jobs that look at datasets: a small part of the account's, so that training never waits for them. */
  readonly profiles: CallBudget;
  readonly deployment: Pick<BatchDeployment, 'environment' | 'region' | 'credentialsUrl'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'count'>;
}

/** Names of jobs a process remembers to have submitted. */
const mostRemembered = 1_000;

/** Jobs on AWS Batch. Its lists lag behind its submissions, and it may forget jobs a week after their end. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function createBatchJobRunner(options: BatchJobRunnerOptions): JobRunner {
  const { calls, definitions, objects, queues, deployment, log, metrics } = options;
  const queueArns = [queues.spot, queues['on-demand']];
  /** What this process has submitted is known to it although no list shows it yet. */
  const submitted = new Map<string, string>();

  /** With result and note, of a job that is over. */
  async function withResult(job: BatchJob, observed: JobObservation): Promise<JobObservation> {
    const outputUri = identityOfBatchJob(job)?.outputUri;
    if (!isOver(observed.state) || outputUri === undefined) return observed;
    const left = await readResultOfEnd(objects, outputUri, observed.state, (error) =>
      log.warn('result of a failed job not read', { jobName: job.jobName, error: String(error) }),
    );
    return { ...observed, ...resultFields(left, observed.state) };
  }

  function observed(job: JobDetail): Promise<JobObservation> {
    const found = job as BatchJob;
    const capacity = job.jobQueue === queues.spot ? 'spot' : 'on-demand';
    return withResult(found, { ...observationOfBatchJob(found), capacity });
  }

  /** The job of a name: with more than one, which only somebody else can have made, the first. */
  async function lookUp(jobName: string): Promise<string | undefined> {
    const own = submitted.get(jobName);
    if (own !== undefined) return own;
    const found = (await Promise.all(queueArns.map((queue) => calls.named(queue, jobName)))).flat();
    const [first] = found.sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0));
    return first?.jobId;
  }

  function remember(jobName: string, jobId: string): string {
    const [oldest] = submitted.keys();
    if (oldest !== undefined && submitted.size >= mostRemembered) submitted.delete(oldest);
    submitted.set(jobName, jobId);
    return jobId;
  }

  async function submit(spec: JobSpec): Promise<string> {
    if (!isStage(spec.stage)) await options.profiles.spend();
    const definitionArn = await definitions.arnFor(spec);
    const jobId = await calls.submit(
      submitInputOf(spec, { ...deployment, queueArn: queues[spec.capacity], definitionArn }),
    );
    if (jobId) return remember(spec.jobName, jobId);
    throw new EpsilonError('BATCH_REFUSED', `batch:SubmitJob returned no id for ${spec.jobName}.`);
  }

  /** One unreadable result must not keep the others waiting: that job counts as running and is asked about again. */
  function observedOrLater(job: JobDetail): Promise<JobObservation> {
    return observed(job).catch((error: unknown) => {
      metrics.count('JobResultsUnreadable', 1, { backend: 'batch' });
      log.error('result of a job not read', { jobName: job.jobName, error: String(error) });
      return { jobName: job.jobName ?? '', jobId: job.jobId ?? '', state: 'running' };
    });
  }

  return {
    backend: 'batch',
    lookupLags: true,
    submit: async (spec, { fresh = false } = {}) => {
      const there = fresh ? undefined : await lookUp(spec.jobName);
      return { jobName: spec.jobName, jobId: there ?? (await submit(spec)) };
    },
    find: async (jobName) => {
      const jobId = await lookUp(jobName);
      const [job] = jobId === undefined ? [] : await calls.describe([jobId]);
      return job ? observed(job) : undefined;
    },
    observe: async (jobs: readonly JobRef[]) => {
      const names = new Map(jobs.map(({ jobId, jobName }) => [jobId, jobName]));
      const found = (await calls.describe([...names.keys()])).filter(
        (job) => names.get(job.jobId ?? '') === job.jobName,
      );
      const observations = await Promise.all(found.map(observedOrLater));
      return new Map(observations.map((one) => [one.jobName, one]));
    },
    cancel: ({ jobId }, reason) => calls.terminate(jobId, markedStopReason(reason)),
    runningOn: options.instanceJobs,
    placesOf: async (jobs) => {
      const places = await options.instancePlaces(jobs.flatMap(({ machine }) => machine ?? []));
      return new Map(
        jobs.flatMap(({ jobName, machine }) => {
          const place = machine === undefined ? undefined : places.get(machine);
          return place ? [[jobName, place] as const] : [];
        }),
      );
    },
  };
}
