/** Short exclusions between invocations: `LOCK#name / LOCK`. Expiry is compared inside the write condition. */
export interface LockStore {
  /** Takes the lock when it is free, expired at `now`, or held by `holder` already; returns whether it did. */
  tryLock(request: { name: string; holder: string; now: string; expiresAt: string }): Promise<boolean>;
  /** Gives the lock back when `holder` holds it; otherwise does nothing. */
  unlock(request: { name: string; holder: string }): Promise<void>;
}
