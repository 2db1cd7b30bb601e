import type { ServiceConfig } from '../config/service-config.ts';
import type { Attempt } from '../training/run.ts';
import type { Clock } from './clock.ts';
import type { ObjectStore } from './object-store.ts';
import type { RunStore } from './run-store.ts';
import type { LeaseStore, ModelRegistry, TenantStore } from './stores.ts';
import type { Workflows } from './workflows.ts';

/** A piece of a job's log. */
export interface LogChunk {
  readonly text: string;
  /** Where to read on. */
  readonly nextByte: number;
  /** True when the job is over and everything has been read. */
  readonly ended: boolean;
}

/** The attempt whose job's log is read; `settledAt` tells those who only collect lines that no more will come. */
export type LoggedJob = Pick<Attempt, 'jobName' | 'backend' | 'jobId' | 'settledAt'>;

/**
 * Logs of jobs. `JOB_NOT_FOUND` for a job that was never submitted or is forgotten. Where a backend keeps one stream only,
 * `stdout` is all of it.
 */
export interface JobLogs {
  read(job: LoggedJob, stream: 'stdout' | 'stderr', fromByte: number): Promise<LogChunk>;
}

/** One declared schedule. */
export interface ScheduleSummary {
  /** Name without environment prefix, as `nightly-training`. */
  readonly name: string;
  readonly expression: string;
  readonly timezone: string;
  readonly enabled: boolean;
  readonly next?: string;
  readonly previous?: string;
}

/** The declared schedules. `fire` delivers the schedule's own event, as the scheduler would at `scheduledTime`. */
export interface Schedules {
  list(): Promise<ScheduleSummary[]>;
  fire(name: string, scheduledTime: string): Promise<void>;
}

/** What the service declares and so must be found. */
export interface Declared {
  readonly machines: readonly string[];
  readonly schedules: readonly string[];
}

/** How a deployed environment stands. */
export interface EnvironmentReport {
  readonly environment: string;
  readonly region: string;
  readonly accountId: string;
  readonly machines: number;
  readonly schedules: number;
  readonly parameters: number;
  /** A sentence each; none when everything is there. */
  readonly faults: readonly string[];
}

/** Everything the command line and the console may do, whether the control plane is in this process, behind a socket, or AWS. */
export interface ControlPlane {
  readonly config: ServiceConfig;
  readonly clock: Clock;
  readonly workflows: Workflows;
  readonly tenants: TenantStore;
  readonly runs: Pick<RunStore, 'getRun' | 'listRuns' | 'listAttempts'>;
  readonly leases: LeaseStore;
  readonly models: ModelRegistry;
  readonly objects: ObjectStore;
  readonly logs: JobLogs;
  readonly schedules: Schedules;
  /** Holds what is deployed against what is declared; absent where nothing is deployed. */
  check?(declared: Declared): Promise<EnvironmentReport>;
  close(): Promise<void>;
}
