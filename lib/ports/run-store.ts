import type { Attempt, AttemptStatus, Run, RunStatus } from '../training/run.ts';
import type { Shard } from '../training/shards.ts';
import type { JobStage } from '../training/stages.ts';

/** Names one attempt. */
export interface AttemptKey {
  readonly runId: string;
  readonly stage: JobStage;
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

/** What a run has only while it is over. */
type RunEnd = 'finishedAt' | 'error' | 'cause';

/** Fields of a run that may change after it began; those that lists are sorted by may not. `null` removes the field. */
export type RunChanges = Partial<Omit<Run, 'runId' | 'tenantId' | 'logicalDate' | 'startedAt' | RunEnd>> & {
  readonly [K in RunEnd]?: Run[K] | null;
};

/** What an attempt has to be for a change to be made: on record, and as is said here. */
export interface AttemptExpectation {
  /** Absent where it cannot have changed since it was read: a final one stays. */
  readonly status?: readonly AttemptStatus[];
  /** The newest token it was entered with: nobody else has entered since it was read. */
  readonly tokenDigest?: string;
  /** It is this tenant's, and its jobs run on one of these backends: who reports of another cannot know of it. */
  readonly tenantId?: string;
  readonly backends?: readonly Attempt['backend'][];
  /** Under this name its job runs; an event of another job changes nothing. */
  readonly jobName?: string;
  /** The submission that was last begun is this one; `null`: none is under way or unclear. */
  readonly submitBegunAt?: string | null;
  /** The job on record is this one; `null`: none is. */
  readonly jobId?: string | null;
  /** The second job that is noted; `null`: none. */
  readonly strayJobId?: string | null;
  /** The job on record is this one, or none is yet: what is reported of a second job of the name changes nothing. */
  readonly ofJob?: string;
  /** No later try of the execution has adopted it. */
  readonly maxRedriveCount?: number;
  /** No later retry of its state has entered it, in the try of the execution that `maxRedriveCount` names. */
  readonly maxRetryCount?: number;
}

/** What a change gives back. */
export interface ChangeOptions {
  /** With the task token, which opens a sealed secret: only for who is going to answer it. */
  readonly withToken?: boolean;
}

/** What a run has to be for a change to be made; any when absent. */
export interface RunExpectation {
  readonly status?: readonly RunStatus[];
  readonly maxRedriveCount?: number;
  /** No newer lease than this fence's is noted on it. */
  readonly maxFence?: number;
}

/** The lease that a new attempt keeps alive: held by (holder, fence), from now on until `expiresAt`. */
export interface LeaseRenewal {
  readonly tenantId: string;
  readonly holder: string;
  readonly fence: number;
  readonly expiresAt: string;
}

/**
 * Runs and attempts. Every write that two writers may race for is conditional; the loser gets `ConditionFailed`.
 * Everything is read as it is, never as it was a moment ago, except which work is open (`listOpenAttempts`,
 * `listRunningRuns`): what has just been opened may be missing there for a moment.
 * Task tokens are secrets: encrypted at rest, never printed, and only in what `getAttempt`, `latestAttempt` and
 * `listOpenAttempts` give, and a change that is asked for it: nobody else needs the right to open one.
 */
export interface RunStore {
  /** Makes the run, or returns the one that is there: calling it twice is safe. */
  createRun(run: Run): Promise<Run>;
  getRun(runId: string): Promise<Run | undefined>;
  /** Applies changes when the run is as expected and returns the new record. */
  updateRun(runId: string, changes: RunChanges, expect?: RunExpectation): Promise<Run>;
  /** Newest first. */
  listRuns(filter: RunFilter): Promise<Run[]>;
  /** Runs with status `running` of a shard. */
  listRunningRuns(shard: Shard): Promise<Run[]>;
  /** A run with all its attempts (without tokens), read at once. */
  getRunWithAttempts(runId: string): Promise<{ readonly run: Run; readonly attempts: Attempt[] } | undefined>;

  /**
   * Makes attempt n; refused unless n = 1 or attempt n - 1 is terminal, and when n exists. With `lease` the lease is
   * renewed by the same write; when (holder, fence) do not hold it, nothing is written and the error is `StaleFence`.
   */
  createAttempt(attempt: Attempt, options?: { readonly lease?: LeaseRenewal }): Promise<void>;
  getAttempt(key: AttemptKey): Promise<Attempt | undefined>;
  /** The attempt with the highest number. */
  latestAttempt(runId: string, stage: JobStage): Promise<Attempt | undefined>;
  /** Oldest intent first, without tokens. */
  listAttempts(runId: string): Promise<Attempt[]>;
  /** Applies changes when the attempt is as expected, and gives the new record. */
  updateAttempt(key: AttemptKey, changes: AttemptChanges, expect: AttemptExpectation): Promise<Attempt>;
  /**
   * The same, but a refusal is no error: `changed` is false and `attempt` is the record as it stands (absent: there is
   * none). Saves the reading before or after a write.
   */
  changeAttempt(
    key: AttemptKey,
    changes: AttemptChanges,
    expect: AttemptExpectation,
    options?: ChangeOptions,
  ): Promise<{ readonly changed: boolean; readonly attempt?: Attempt }>;
  /** Attempts not settled yet of a shard, oldest intent first. */
  listOpenAttempts(options: Shard & { readonly limit?: number }): Promise<Attempt[]>;
}
