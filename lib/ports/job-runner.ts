import type { Backend } from '../tenants/tenant.ts';
import type { JobObservation, JobRef, JobSpec } from '../training/attempts/job.ts';
import type { Place } from '../training/run.ts';
import type { AttemptKey } from './run-store.ts';

export type { JobObservation, JobRef, JobSpec } from '../training/attempts/job.ts';

/** How a submission may be shortened. */
export interface SubmitOptions {
  /**
   * The intent was written by this very entry: the name cannot have been submitted before, so a backend that would have to
   * look it up need not. Without it, `submit` looks first.
   */
  readonly fresh?: boolean;
}

/** One backend that runs jobs (processes, Batch, Kubernetes). All implementations pass test/contract/job-runner.ts. */
export interface JobRunner {
  readonly backend: Backend;
  /**
   * True when `find` may not see a job for a while after its submission. Under an intent the name is then not submitted
   * again before the grace period (`training.lookupGraceSeconds`) is over.
   */
  readonly lookupLags?: boolean;
  /**
   * True when jobs are observed and cancelled by their name alone: then nothing has to be kept after a submission, and
   * an attempt stays an intent until its first event.
   */
  readonly namesAreIds?: boolean;
  /** Starts the job; submitting a name that exists already returns the existing job and starts nothing. */
  submit(spec: JobSpec, options?: SubmitOptions): Promise<JobRef>;
  /** Looks a job up by its deterministic name. */
  find(jobName: string): Promise<JobObservation | undefined>;
  /** Observes many jobs with as few calls as the backend allows; unknown jobs are absent from the map (keyed by jobName). */
  observe(jobs: readonly JobRef[]): Promise<ReadonlyMap<string, JobObservation>>;
  /**
   * Asks the job to stop (SIGTERM, grace, SIGKILL); cancelling a finished or unknown job does nothing. What the job then
   * counts as is said by the reason (lib/training/attempts/stop-reason.ts): cancelled, preempted or unplaceable.
   */
  cancel(job: JobRef, reason: string): Promise<void>;
  /**
   * Metadata and specification of the pod that the job would have, for somebody else who starts it; absent where jobs are no pods.
   */
  podOf?(spec: JobSpec): Readonly<Record<string, unknown>>;
  /** Where jobs that run do so, by job name, as far as the backend says; absent where they run on this machine. */
  placesOf?(jobs: readonly JobObservation[]): Promise<ReadonlyMap<string, Place>>;
  /** Attempts whose jobs run on an EC2 instance (`i-...`); absent where instances mean nothing. */
  runningOn?(instanceId: string): Promise<readonly AttemptKey[]>;
}
