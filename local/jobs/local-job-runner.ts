import type { Clock } from '../../lib/ports/clock.ts';
import type { JobRunner } from '../../lib/ports/job-runner.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { JobObservation, JobSpec } from '../../lib/training/attempts/job.ts';
import type { HostResources } from './fair-queue.ts';
import type { JobCommand } from './start-job.ts';
import type { StrayWrites } from './stray-writes.ts';

/** Hears of a job that started and of one that is over. */
export type JobListener = (observation: JobObservation, spec: JobSpec) => void;

/** A runner of this host, which also takes up what an earlier process left. */
export interface LocalJobRunner extends JobRunner {
  recover(): { readonly adopted: number; readonly queued: number; readonly lost: number };
  close(): void;
}

/** What a runner is made of. */
export interface ProcessJobRunnerOptions {
  /** Folder of all jobs. */
  readonly root: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly host?: HostResources;
  /** Variables that jobs may inherit from, after an allow-list. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly command: (spec: JobSpec, files: { readonly resultPath: string }) => JobCommand;
  readonly onObservation: JobListener;
  /** Whether the disk has room for a job; asked again and again while there are jobs. */
  readonly room?: () => boolean;
  /** Looks at what jobs write elsewhere than below their output; nobody does where absent. */
  readonly strays?: StrayWrites;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
}
