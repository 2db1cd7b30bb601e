import type { ContinuousBackup } from '../../backup/cloud/resources.ts';
import type { RestoredTable } from '../../backup/cloud/restored-table.ts';
import type { ModelRegistry } from '../model-registry.ts';
import type { TenantStore } from '../tenant-store.ts';
import type { Tags } from './database-service.ts';
import type { RecoveryRecords } from './recovery-records.ts';

/**
 * The service that holds the table, in one region. What changes something answers before it is done; how it ended is seen by looking
 * again.
 */
export interface TableService {
  readonly region: string;
  /** Backups of a table to any second; undefined when there is no such table. */
  continuousBackup(table: string): Promise<ContinuousBackup | undefined>;
  /** Undefined when there is none. */
  table(name: string): Promise<RestoredTable | undefined>;
  /**
   * Begins to make a new table of one of this region as it was at a moment, under a key of this region. `RESTORE_TARGET_NOT_EMPTY`
   * when the name is taken, `RESTORE_POINT_OUT_OF_RANGE`.
   */
  restore(request: TableRestore): Promise<void>;
  /** Sets again what a restored table does not bring along; what is set already stays. */
  protect(
    name: string,
    request: { readonly deletionProtection: boolean; readonly tags: Tags },
  ): Promise<void>;
  /** Begins to remove a table that nothing protects; what is not there is no error, `ResourceBusy` while it is being made. */
  remove(name: string): Promise<void>;
  /** What a table of this region holds. */
  stores(name: string): TableRecords;
}

/** Records of a table of this region: what a verification reads, and what a promotion changes. */
export interface TableRecords {
  readonly tenants: Pick<TenantStore, 'list'>;
  readonly models: Pick<ModelRegistry, 'live' | 'get'>;
  readonly recoveryRecords: Pick<RecoveryRecords, 'epoch' | 'heartbeat' | 'newest' | 'put'>;
  /** Scheduled times of machines that were claimed after an instant (ISO 8601). */
  claimsAfter(at: string, machines: readonly string[]): Promise<ScheduledClaim[]>;
  /**
   * Ends everything that was under way: open attempts are lost, running runs aborted, leases released with fences above all that were
   * ever issued. Claims are made again, what tenants and models name is moved to the bucket that goes on, and every live model is
   * announced again, which fills the cache. Can be done again.
   */
  recover(request: RecordsRecovery): Promise<RecordsRecovered>;
  /** Notes that a restored state of this epoch goes on instead; a higher one that is noted stays. */
  supersede(epoch: number): Promise<void>;
}

/** What a recovery is told. */
export interface RecordsRecovery {
  readonly epoch: number;
  /** ISO 8601. */
  readonly at: string;
  readonly cause: string;
  /** Scheduled times that were claimed after the point: what began for them is lost, and no late delivery begins it again. */
  readonly claims: readonly ScheduledClaim[];
  /** The bucket that records name, and the one that goes on. */
  readonly buckets: { readonly from: string; readonly to: string };
}

/** A scheduled time and the execution that had it. */
export interface ScheduledClaim {
  readonly machine: string;
  /** ISO 8601. */
  readonly scheduledTime: string;
  readonly holder: string;
  /** ISO 8601. */
  readonly claimedAt: string;
}

/** What a recovery ended and changed. */
export interface RecordsRecovered {
  readonly runs: number;
  readonly attempts: number;
  readonly leases: number;
  readonly claims: number;
  /** Records whose objects are in the other bucket now. */
  readonly moved: number;
  /** Live models that are announced again. */
  readonly models: number;
}

/** A new table as of a moment. */
export interface TableRestore {
  readonly from: string;
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  readonly keyArn: string;
}

/** The table of the environment in both regions. */
export interface Tables {
  /** Name of the one that is live; its replica has the same. */
  readonly name: string;
  readonly home: TableService;
  readonly there: TableService;
}
