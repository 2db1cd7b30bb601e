import type { ServiceConfig } from '../config/service-config.ts';
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

/** Logs of jobs, by the attempt's job name. `JOB_NOT_FOUND` for a name that was never submitted. */
export interface JobLogs {
  read(jobName: string, stream: 'stdout' | 'stderr', fromByte: number): Promise<LogChunk>;
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
  close(): Promise<void>;
}
