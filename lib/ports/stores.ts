import type { QualityVerdict } from '../quality/verdict.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { LiveModel, ModelVersion } from '../training/models/model.ts';

/** Tenant records: `TENANT#id / META`. */
export interface TenantStore {
  get(tenantId: string): Promise<Tenant | undefined>;
  /** By tenant id. */
  list(): Promise<Tenant[]>;
  /** Writes version n + 1 over version n (0 = must not exist yet), otherwise `ConditionFailed`. */
  put(tenant: Tenant, expectedVersion: number): Promise<void>;
  remove(tenantId: string, expectedVersion: number): Promise<void>;
}

/** A tenant's training lease: `TENANT#id / LEASE`. */
export interface Lease {
  readonly tenantId: string;
  readonly holder: string;
  /** Rises with every acquisition and never goes back, also across releases. */
  readonly fence: number;
  readonly expiresAt: string;
}

/** Mutual exclusion between runs of one tenant, with fencing. Expiry is compared inside the write condition. */
export interface LeaseStore {
  /** Takes the lease when it is free, expired, or already held by `holder`; always with a larger fence. Otherwise `TenantBusy`. */
  acquire(request: { tenantId: string; holder: string; now: string; expiresAt: string }): Promise<Lease>;
  /** Moves the expiry when (holder, fence) still hold it; otherwise `StaleFence`. */
  renew(request: { tenantId: string; holder: string; fence: number; expiresAt: string }): Promise<void>;
  /** Releases when (holder, fence) hold it; otherwise does nothing. */
  release(request: { tenantId: string; holder: string; fence: number }): Promise<void>;
  get(tenantId: string): Promise<Lease | undefined>;
}

/** Once-only delivery of schedules: `CLAIM#machine / scheduledTime`. */
export interface ClaimStore {
  /** Claims for `holder`, or tells who holds it; claiming again as the same holder succeeds. */
  claim(request: {
    machine: string;
    scheduledTime: string;
    holder: string;
    now: string;
  }): Promise<{ readonly claimed: boolean; readonly holder: string }>;
}

/** Trained models and the live pair of each tenant. */
export interface ModelRegistry {
  /** Registers a candidate; registering the same version again is safe. */
  register(model: ModelVersion): Promise<void>;
  get(tenantId: string, modelVersion: string): Promise<ModelVersion | undefined>;
  /** Newest first. */
  list(tenantId: string): Promise<ModelVersion[]>;
  live(tenantId: string): Promise<LiveModel | undefined>;
  /**
   * Switches model and index together by one conditional write and keeps the replaced version as `previousVersion`.
   * Refused with `StaleFence` when `fence` is below the tenant's lease fence or the live record's;
   * promoting what is live already changes nothing. `MODEL_NOT_FOUND` when the version is not registered.
   */
  promote(request: {
    tenantId: string;
    modelVersion: string;
    fence: number;
    at: string;
    reason: LiveModel['reason'];
  }): Promise<LiveModel>;
}

/** Newest quality verdict of each tenant: `TENANT#id / VERDICT`. */
export interface QualityVerdicts {
  latest(tenantId: string): Promise<QualityVerdict | undefined>;
  /** Keeps the verdict unless one that was checked later is on record. */
  record(verdict: QualityVerdict): Promise<void>;
}

/** Short exclusions between invocations: `LOCK#name / LOCK`. Expiry is compared inside the write condition. */
export interface LockStore {
  /** Takes the lock when it is free, expired at `now`, or held by `holder` already; tells whether it did. */
  tryLock(request: { name: string; holder: string; now: string; expiresAt: string }): Promise<boolean>;
  /** Gives the lock back when `holder` holds it; otherwise does nothing. */
  unlock(request: { name: string; holder: string }): Promise<void>;
}
