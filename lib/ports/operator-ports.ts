import type { AuditLog } from './audit-log.ts';
import type { Backups } from './backup/backups.ts';
import type { JobLogs } from './job-logs.ts';
import type { OperatorApi } from './operator-api.ts';
import type { Ports } from './ports.ts';
import type { Schedules } from './schedules.ts';

/** What the operator's port is made of; provided when a control plane is opened, with the actor it is opened for. */
export interface OperatorPorts
  extends Pick<
    Ports,
    | 'config'
    | 'clock'
    | 'ids'
    | 'log'
    | 'tenants'
    | 'runs'
    | 'leases'
    | 'models'
    | 'imageRecords'
    | 'verdicts'
    | 'objects'
    | 'events'
    | 'workflows'
    | 'releases'
    | 'callbacks'
  > {
  readonly schedules: Schedules;
  readonly logs: JobLogs;
  readonly audit: AuditLog;
  readonly check?: OperatorApi['check'];
  /** Absent where backups are not made by the control plane. */
  readonly backups?: Backups;
  close(): Promise<void>;
}
