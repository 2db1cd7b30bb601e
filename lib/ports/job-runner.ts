import type { Backend } from '../tenants/tenant.ts';
import type { JobObservation, JobRef, JobSpec } from '../training/job.ts';

export type { JobObservation, JobReason, JobRef, JobSpec } from '../training/job.ts';

/** One backend that runs jobs (processes, Batch, Kubernetes). All implementations pass test/contract/job-runner.ts. */
export interface JobRunner {
  readonly backend: Backend;
  /** Starts the job; submitting a name that exists already returns the existing job and starts nothing. */
  submit(spec: JobSpec): Promise<JobRef>;
  /** Looks a job up by its deterministic name. */
  find(jobName: string): Promise<JobObservation | undefined>;
  /** Observes many jobs with as few calls as the backend allows; unknown jobs are absent from the map (keyed by jobName). */
  observe(jobs: readonly JobRef[]): Promise<ReadonlyMap<string, JobObservation>>;
  /** Asks the job to stop (SIGTERM, grace, SIGKILL); cancelling a finished or unknown job does nothing. */
  cancel(job: JobRef, reason: string): Promise<void>;
}
