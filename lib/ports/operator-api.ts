import type { ServiceConfig } from '../config/service-config.ts';
import type { Clock } from './clock.ts';
import type { Declared, EnvironmentReport } from './environment-report.ts';
import type { JobLogs } from './job-logs.ts';
import type { LeaseStore } from './lease-store.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { ObjectStore } from './object-store.ts';
import type { RunStore } from './run-store.ts';
import type { Schedules } from './schedules.ts';
import type { TenantStore } from './tenant-store.ts';
import type { Workflows } from './workflows.ts';

/** Everything the command line and the console may do, whether the control plane is in this process, behind a socket, or AWS. */
export interface OperatorApi {
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
