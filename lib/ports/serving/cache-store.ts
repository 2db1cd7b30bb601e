/** Whose run's passages a hash of the cache holds. */
export interface CacheTarget {
  readonly tenantId: string;
  readonly runId: string;
}

/** One passage: its id, and the line of the cache file as it is. */
export interface CacheEntry {
  readonly id: string;
  readonly line: string;
}

/**
 * The cache that answers users, one hash for each run. Writing an entry again changes nothing, so filling may be repeated and cut off
 * anywhere. Error: `CACHE_UNAVAILABLE` (retryable), without address or token.
 */
export interface CacheStore {
  /** Puts the entries into the run's hash, which from then on stays; returns how many it holds. */
  fill(target: CacheTarget, batches: AsyncIterable<readonly CacheEntry[]>): Promise<number>;
  /** Lets the run's hash go after so many seconds; nothing when there is none. */
  retire(target: CacheTarget, seconds: number): Promise<void>;
  /** The line of one entry; nothing when there is none. */
  read(target: CacheTarget, id: string): Promise<string | undefined>;
}
