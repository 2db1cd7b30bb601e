import type { Attempt } from '../training/run.ts';

/** A piece of a job's log. */
export interface LogChunk {
  readonly text: string;
  /** Where to read on. */
  readonly nextByte: number;
  /** True when the job is over and everything has been read. */
  readonly ended: boolean;
}

/** The attempt whose job's log is read; `settledAt` says to a collector of lines that no more will come. */
export type LoggedJob = Pick<Attempt, 'jobName' | 'backend' | 'jobId' | 'settledAt'>;

/**
 * Logs of jobs. `JOB_NOT_FOUND` for a job that was never submitted or is forgotten. Where a backend keeps one stream only,
 * `stdout` is all of it.
 */
export interface JobLogs {
  read(job: LoggedJob, stream: 'stdout' | 'stderr', fromByte: number): Promise<LogChunk>;
}
