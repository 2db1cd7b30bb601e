import type { Attempt, AttemptStatus, Run, RunStatus } from '../training/run.ts';
import type { StageName } from '../training/stages.ts';

/** Names one attempt. */
export interface AttemptKey {
  readonly runId: string;
  readonly stage: StageName;
  readonly attempt: number;
}

/** What a list of runs is narrowed by; `tenantId` or `logicalDate` is served by an index. */
export interface RunFilter {
  readonly tenantId?: string;
  readonly logicalDate?: string;
  readonly status?: RunStatus;
  readonly nightArn?: string;
  readonly limit?: number;
}

/** Fields of an attempt that may change after it was made. `null` removes the field. */
export type AttemptChanges = {
  readonly [K in Exclude<keyof Attempt, keyof AttemptKey>]?: Attempt[K] | null;
};

/** Fields of a run that may change after it began. */
export type RunChanges = Partial<Omit<Run, 'runId' | 'tenantId'>>;

/**
 * Runs and attempts. Every write that two writers may race for is conditional; the loser gets `ConditionFailed`.
 * Task tokens are secrets: encrypted at rest, never listed by `listRuns` or printed.
 */
export interface RunStore {
  /** Makes the run, or returns the one that is there: calling it twice is safe. */
  createRun(run: Run): Promise<Run>;
  getRun(runId: string): Promise<Run | undefined>;
  /** Applies changes when the run is in one of `expect` (any status when absent) and returns the new record. */
  updateRun(
    runId: string,
    changes: RunChanges,
    expect?: { readonly status?: readonly RunStatus[]; readonly maxRedriveCount?: number },
  ): Promise<Run>;
  /** Newest first. */
  listRuns(filter: RunFilter): Promise<Run[]>;

  /** Makes attempt n; refused unless n = 1 or attempt n - 1 is terminal, and when n exists. */
  createAttempt(attempt: Attempt): Promise<void>;
  getAttempt(key: AttemptKey): Promise<Attempt | undefined>;
  /** The attempt with the highest number. */
  latestAttempt(runId: string, stage: StageName): Promise<Attempt | undefined>;
  listAttempts(runId: string): Promise<Attempt[]>;
  /** Applies changes when the attempt's status is one of `expect` and (if given) its token is `taskToken`. */
  updateAttempt(
    key: AttemptKey,
    changes: AttemptChanges,
    expect: { readonly status: readonly AttemptStatus[]; readonly taskToken?: string },
  ): Promise<Attempt>;
  /** Attempts not settled yet (in `shard` of `shards`, by a stable hash of runId), oldest intent first. */
  listOpenAttempts(options: {
    readonly shard: number;
    readonly shards: number;
    readonly limit?: number;
  }): Promise<Attempt[]>;
}
