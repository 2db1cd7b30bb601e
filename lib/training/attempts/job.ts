import type { JobReason } from '../job-reason.ts';
import type { Capacity } from '../run.ts';
import type { JobStage, Resources } from '../stages.ts';
import type { JobProgress } from './job-progress.ts';

/** Everything a backend needs to start one job. */
export interface JobSpec {
  /** Deterministic, at most 63 characters: unique per run, stage and attempt (job-name.ts). */
  readonly jobName: string;
  readonly tenantId: string;
  readonly runId: string;
  readonly logicalDate: string;
  readonly traceId: string;
  readonly stage: JobStage;
  readonly attempt: number;
  /** Image reference that ends in `@sha256:<64 hex>`. */
  readonly image: string;
  readonly arguments: readonly string[];
  /** The EPSILON_* variables of the job contract. Never a secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** Prefix under which the job writes `result.json`. */
  readonly outputUri: string;
  readonly resources: Resources;
  readonly capacity: Capacity;
  readonly timeoutSeconds: number;
  /** 0 (last) to 100 (first). */
  readonly priority: number;
}

/** Names one job of a backend. */
export interface JobRef {
  readonly jobName: string;
  readonly jobId: string;
}

/** Whether a job in this state has ended. */
export function isOver(state: JobObservation['state']): boolean {
  return state === 'succeeded' || state === 'failed';
}

/** What a backend knows of a job. States only move forward: pending, running, then succeeded or failed. */
export interface JobObservation extends JobRef {
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed';
  readonly capacity?: Capacity;
  /** Of a running job: the machine, in the backend's own terms, where it says so. */
  readonly machine?: string;
  /** Reference by digest of what was started, where the backend can see that; it may be another one than the job's specification names. */
  readonly image?: string;
  /** Present when state is succeeded or failed. */
  readonly reason?: JobReason;
  readonly exitCode?: number;
  readonly message?: string;
  /** Of a pending job: the backend's own word why nothing will take it (no capacity, no machine that is large enough). */
  readonly blocked?: string;
  /**
   * Of a pending job that has its machine: why its container does not start there (no such image, wrong settings), in the
   * backend's words, and since when it has had the machine. No other machine would help.
   */
  readonly unstartable?: { readonly why: string; readonly since: string };
  /** How far a running job says it is, by its progress file (docs/job-contract.md); `at` is an ISO instant. */
  readonly progress?: JobProgress;
  /** Why a job that says it succeeded has no result, as `CODE: reason`; absent where its backend cannot know. */
  readonly resultFault?: string;
  /** Parsed job result, when the job wrote one. */
  readonly result?: Readonly<Record<string, unknown>>;
  readonly submittedAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}
