/** A tenant's training lease: `TENANT#id / LEASE`. */
export interface Lease {
  readonly tenantId: string;
  readonly holder: string;
  /** Rises with every acquisition and never goes back, also across releases. */
  readonly fence: number;
  readonly expiresAt: string;
  /** The try of the holder's execution that took it. */
  readonly redriveCount: number;
}

/** Mutual exclusion between runs of one tenant, with fencing. Expiry is compared inside the write condition. */
export interface LeaseStore {
  /**
   * Takes the lease when it is free, expired, or already held by `holder` in the same try of its execution or an earlier one;
   * always with a larger fence. Otherwise `TenantBusy`.
   */
  acquire(request: {
    tenantId: string;
    holder: string;
    now: string;
    expiresAt: string;
    /** Of the holder's execution; 0 when absent. */
    redriveCount?: number;
  }): Promise<Lease>;
  /** Moves the expiry when (holder, fence) still hold it; otherwise `StaleFence`. */
  renew(request: { tenantId: string; holder: string; fence: number; expiresAt: string }): Promise<void>;
  /** Releases when (holder, fence) hold it; otherwise does nothing. */
  release(request: { tenantId: string; holder: string; fence: number }): Promise<void>;
  get(tenantId: string): Promise<Lease | undefined>;
}
