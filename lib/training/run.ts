import type { Backend } from '../tenants/tenant.ts';
import type { JobReason } from './job-reason.ts';
import type { ImageName, JobStage, Resources, StageName, StageSeconds } from './stages.ts';

/** Where a run stands. `skipped` and `busy` ended on purpose without training. */
export type RunStatus = 'running' | 'succeeded' | 'failed' | 'skipped' | 'busy' | 'aborted' | 'timed-out';

/** Who asked for the run. */
export type Trigger = 'schedule' | 'manual';

/** One training run of one tenant: `RUN#id / META`. */
export interface Run {
  /** Name of the tenant-model-training execution; a redrive keeps it. */
  readonly runId: string;
  readonly tenantId: string;
  /** UTC date of the scheduled time, `YYYY-MM-DD`. */
  readonly logicalDate: string;
  readonly trigger: Trigger;
  /** ARN of the execution that trains. */
  readonly executionArn: string;
  /** Redrives of that execution seen so far. */
  readonly redriveCount: number;
  /** ARN of the night that started it, if one did. */
  readonly nightArn?: string;
  readonly status: RunStatus;
  readonly traceId: string;
  /** The span that asked for it, where its start named one (W3C's header). */
  readonly traceparent?: string;
  /** ULID given when the run began; kept by a redrive. */
  readonly modelVersion: string;
  readonly modelType: string;
  /** Whose jobs it runs; the reference workload where absent. */
  readonly workload?: string;
  /** Passes over the data; 10 where absent. */
  readonly epochs?: number;
  /** Name of the model's file; model.bin where absent. */
  readonly modelFile?: string;
  readonly backend: Backend;
  /** Version of the tenant record the run began with. */
  readonly tenantVersion: number;
  readonly documentsUri: string;
  readonly priority: number;
  readonly spotAllowed: boolean;
  readonly resources: Readonly<Partial<Record<StageName, Resources>>>;
  /** Options handed to the job as EPSILON_OPTIONS. */
  readonly jobOptions: Readonly<Record<string, number | string | boolean>>;
  /** Image name to a reference that ends in `@sha256:...`. */
  readonly images: Readonly<Record<ImageName, string>>;
  /** Seed of the job's randomness, 32 bits. */
  readonly seed: number;
  /** Fence of the lease held now; rises when the lease is taken again. */
  readonly fence: number;
  readonly startedAt: string;
  /** When the night that started it needs it to be over. */
  readonly deadline?: string;
  /** Until when its jobs may wait for spot capacity without putting a deadline of the night at risk. */
  readonly spotUntil?: string;
  readonly finishedAt?: string;
  /** What its stages took, once it has succeeded; later nights are planned by it. */
  readonly stageSeconds?: StageSeconds;
  readonly error?: string;
  readonly cause?: string;
}

/** Errors of runs whose images could not be started or were not tried any more. */
const platformFaults: ReadonlySet<string> = new Set([
  'JobCannotStart',
  'BadImage',
  'IMAGE_CONTRACT_MISMATCH',
]);

/** Whether a run failed for its image, which the platform releases: no fault of its tenant. */
export function isPlatformFault({ status, error }: Pick<Run, 'status' | 'error'>): boolean {
  return status === 'failed' && platformFaults.has(error ?? '');
}

/** Where one attempt's job stands; the last six are terminal and never left. */
export type AttemptStatus =
  | 'intent'
  | 'submitted'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'rejected'
  | 'preempted'
  | 'lost'
  | 'cancelled';

/** Kind of capacity an attempt asks for. */
export type Capacity = 'spot' | 'on-demand';

/** Where a job runs: an EC2 instance type, and its availability zone. */
export interface Place {
  readonly instanceType: string;
  readonly zone: string;
}

/** Why an attempt asks for its kind of capacity (docs/capacity.md). */
export type CapacityBecause =
  | 'spot-first'
  | 'spot-forbidden'
  | 'preempted'
  | 'spot-unplaceable'
  | 'on-demand-unplaceable'
  | 'last-tries';

/** One attempt of one stage: `RUN#id / STAGE#stage#ATTEMPT#n`. */
export interface Attempt {
  readonly runId: string;
  readonly tenantId: string;
  readonly logicalDate: string;
  readonly traceId: string;
  readonly stage: JobStage;
  /** From 1; advances only after the previous attempt is terminal. */
  readonly attempt: number;
  readonly status: AttemptStatus;
  /** Deterministic: the name under which the job is looked up before it is submitted again. */
  readonly jobName: string;
  readonly jobId?: string;
  readonly backend: Backend;
  readonly capacity: Capacity;
  readonly capacityBecause?: CapacityBecause;
  /** Until when its job may wait for spot capacity; its run's. */
  readonly spotUntil?: string;
  /** Reference, by digest, of the image that the job runs. */
  readonly image?: string;
  /** What the job asks for. */
  readonly resources?: Resources;
  readonly fence: number;
  readonly executionArn: string;
  readonly redriveCount: number;
  /** Retries of the stage's state before the entry whose token is the newest; with `redriveCount` the order of entries. 0 where absent. */
  readonly retryCount?: number;
  /** Prefix the job writes below, ends in "/". */
  readonly outputUri: string;
  /** Secret; absent once it has been answered. */
  readonly taskToken?: string;
  /** SHA-256 of the newest token this attempt was entered with; distinguishes a repeated invocation from a new try. */
  readonly tokenDigest: string;
  readonly intentAt: string;
  /**
   * When a submission of this attempt was last begun; absent once its backend has refused it for certain. An intent that has
   * it may have a job that the backend's lists do not show yet.
   */
  readonly submitBegunAt?: string;
  readonly submittedAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly heartbeatAt?: string;
  readonly exitCode?: number;
  /** Why the job is over, in the backend's terms. */
  readonly reason?: JobReason;
  /** The job's own result (counts, metrics, URIs, checksums), at most 4,096 bytes as JSON. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** Name of the error that the state machine got or will get. */
  readonly error?: string;
  readonly cause?: string;
  /** When the outcome was answered to the state machine; an attempt without it is still open. */
  readonly settledAt?: string;
  /**
   * When the end of its run gave it up. Nothing waits for its answer any more; it stays open until its job was stopped, or cannot
   * show up any more.
   */
  readonly abandonedAt?: string;
  /** Of a job that looks at datasets: whose; there is no run then. */
  readonly profiles?: readonly string[];
  /** The machine that its job was seen on, by which it is priced; absent of a job that was over before anybody asked. */
  readonly place?: Place;
  /** A second job of this attempt's name that was seen alive; the reconciler stops it. */
  readonly strayJobId?: string;
}

/** An attempt's name within the service: `<runId>/<stage>/<attempt>`. */
export function attemptName({ runId, stage, attempt }: Pick<Attempt, 'runId' | 'stage' | 'attempt'>): string {
  return `${runId}/${stage}/${attempt}`;
}

/** Statuses that an attempt never leaves. */
export const terminalStatuses: ReadonlySet<AttemptStatus> = new Set([
  'succeeded',
  'failed',
  'rejected',
  'preempted',
  'lost',
  'cancelled',
]);

/** Characters of an error's cause that are kept. */
const longestCause = 8_192;

/** The record with its cause cut to what is kept; a cause comes from outside and may be of any length. */
export function withShortCause<T extends { readonly cause?: unknown }>(record: T): T {
  const { cause } = record;
  if (typeof cause !== 'string' || cause.length <= longestCause) return record;
  return { ...record, cause: `${cause.slice(0, longestCause - 1)}…` };
}
