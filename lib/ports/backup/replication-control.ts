/** How a repair of replication stands. */
export interface RepairState {
  readonly state: 'running' | 'done' | 'failed';
  /** Objects that were to be copied, and those that could not be. */
  readonly objects?: number;
  readonly failed?: number;
  /** Why it failed, as the service says. */
  readonly because?: string;
}

/** An operation of replication that failed, as an event told. */
export interface FailedReplication {
  readonly key: string;
  readonly because: string;
}

/** Failures that events told; each may come twice, and those that never come are found by reading. */
export interface ToldFailures {
  readonly failed: readonly FailedReplication[];
  /** Lets go of these events; without it they are told again. */
  forget(): Promise<void>;
}

/** What replication of the data bucket depends on, and how it is repaired. */
export interface ReplicationControl {
  /** The buckets, of source and destination, that keep no versions: no earlier moment of theirs can be restored, nothing is replicated. */
  unversioned(): Promise<string[]>;
  /** Failures that were told and not let go of. */
  failures(): Promise<ToldFailures>;
  /** Begins to copy what failed, or was never tried, again; `token` makes a repeated call find the first one. Gives its id. */
  repair(token: string): Promise<string>;
  repairState(id: string): Promise<RepairState>;
}
