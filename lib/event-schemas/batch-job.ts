import { z } from 'zod';
import { isOver, type JobObservation } from '../training/attempts/job.ts';
import { stopReasonOf } from '../training/attempts/stop-reason.ts';
import type { JobReason } from '../training/job-reason.ts';
import { type JobStage, jobStageNames } from '../training/stages.ts';

/** Longest reason Batch takes, in characters. */
const longestStopReason = 1_024;

const milliseconds = z.number().optional();

/**
 * What is read of a Batch job, as DescribeJobs and the "Batch Job State Change" event report it. Batch announces that fields
 * will be added: unknown ones are tolerated.
 */
export const batchJobSchema = z.object({
  jobId: z.string().min(1),
  jobName: z.string().min(1),
  jobQueue: z.string().optional(),
  status: z.string().min(1),
  statusReason: z.string().optional(),
  createdAt: milliseconds,
  startedAt: milliseconds,
  stoppedAt: milliseconds,
  isCancelled: z.boolean().optional(),
  isTerminated: z.boolean().optional(),
  container: z
    .object({
      exitCode: z.number().optional(),
      reason: z.string().optional(),
      containerInstanceArn: z.string().optional(),
      environment: z
        .array(z.object({ name: z.string().optional(), value: z.string().optional() }))
        .optional(),
    })
    .optional(),
});

/** A Batch job, as far as it is read. */
export type BatchJob = z.output<typeof batchJobSchema>;

/** What a job's own environment says of it: which attempt it is and where it writes. */
export interface BatchJobIdentity {
  readonly runId: string;
  readonly stage: JobStage;
  readonly attempt: number;
  /** Prefix below which the job writes, ends in "/". */
  readonly outputUri: string;
  readonly traceId?: string;
}

const isStage = (name: string | undefined): name is JobStage => jobStageNames.some((stage) => stage === name);

/** Reads the attempt out of the job's environment; undefined for jobs that Epsilon did not submit. */
export function identityOfBatchJob({ container }: BatchJob): BatchJobIdentity | undefined {
  const variables = new Map(container?.environment?.map(({ name, value }) => [name, value]));
  const runId = variables.get('EPSILON_RUN_ID');
  const stage = variables.get('EPSILON_TRAINING_STAGE');
  const attempt = Number(variables.get('EPSILON_ATTEMPT'));
  const outputUri = variables.get('EPSILON_OUTPUT');
  const traceId = variables.get('EPSILON_TRACEPARENT')?.split('-')[1];
  if (!runId || !isStage(stage) || !Number.isInteger(attempt) || attempt < 1 || !outputUri) return undefined;
  return { runId, stage, attempt, outputUri, ...(traceId ? { traceId } : {}) };
}

type State = JobObservation['state'];

const states: Readonly<Record<string, State>> = {
  SUBMITTED: 'pending',
  PENDING: 'pending',
  RUNNABLE: 'pending',
  STARTING: 'pending',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
};

/** Stands before the reason of a cancellation, so that Batch's copy of it says by itself that we asked for it. */
const cancelledMark = 'cancelled: ';

/** The text under which a job is terminated: `fateOf` reads it back from the job's status reason. */
export function markedStopReason(reason: string): string {
  const text = stopReasonOf(reason) === 'cancelled' ? `${cancelledMark}${reason}` : reason;
  return text.slice(0, longestStopReason);
}

interface Fate {
  readonly reason: JobReason;
  readonly message: string;
}

/**
 * What ECS writes of a container that it could not pull or start: `CannotPullContainerError: ...`
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html).
 */
const notStarted = /Cannot(Pull|Create|Start|Inspect)\w*Error/i;

/** Of these the instance or the network is the cause, and another try on another instance may help. */
const passing =
  /CannotInspect|CannotCreate|timed? ?out|timeout|toomanyrequests|rate exceeded|connection (refused|reset)|no such host|temporary failure|EOF|no space left|context canceled|5\d\d (internal server error|bad gateway|service unavailable)/i;

/** A job whose container never ran: lost with what happened to its instance, else its image or settings are at fault. */
function neverRan(reason: string): Fate | undefined {
  if (!notStarted.test(reason)) return undefined;
  return passing.test(reason)
    ? { reason: 'lost', message: `its instance could not start it: ${reason}` }
    : { reason: 'unstartable', message: `it could not be started: ${reason}` };
}

/** Why a failed job failed; the first of these that fits. */
function fateOf(job: BatchJob): Fate {
  const { statusReason = '', isCancelled, isTerminated, container } = job;
  const { exitCode, reason = '' } = container ?? {};
  const reasons = [statusReason, reason].filter(Boolean).join('; ');
  // The queue's own time limit on jobs that no machine of it can take (jobStateTimeLimitActions).
  if (/JobStateTimeLimit action/i.test(statusReason)) return { reason: 'unplaceable', message: statusReason };
  if (/attempt duration exceeded timeout/i.test(statusReason))
    return { reason: 'timeout', message: statusReason };
  const stop = stopReasonOf(statusReason);
  // A reason that somebody else gave, such as an operator in the console, comes with a flag but without Epsilon's mark.
  if (stop !== 'cancelled' || statusReason.startsWith(cancelledMark) || isCancelled || isTerminated)
    return { reason: stop, message: statusReason || 'it was terminated' };
  if (/^Host EC2/i.test(statusReason)) return { reason: 'preempted', message: statusReason };
  const unstarted = exitCode === undefined || exitCode === 0 ? neverRan(reason || statusReason) : undefined;
  if (unstarted) return unstarted;
  if (/OutOfMemory/i.test(reason)) return { reason: 'error', message: `it ran out of memory: ${reason}` };
  if (exitCode === 143)
    return { reason: 'preempted', message: `it was stopped (SIGTERM), but not by Epsilon: ${reasons}` };
  if (exitCode === 137)
    return {
      reason: 'error',
      message: `it was killed (SIGKILL), perhaps because memory ran out: ${reasons}`,
    };
  // Batch says "Essential container in task exited" of every container that ends: the code says more.
  if (exitCode !== undefined && exitCode !== 0)
    return { reason: 'error', message: `it exited with ${exitCode}${reason ? `: ${reason}` : ''}` };
  return { reason: 'error', message: reasons || 'Batch gives no reason' };
}

/**
 * Batch gives the job at the head of a blocked queue a reason that begins so; jobs that wait behind others have
 * none.
 */
const blockedMark = /^(CAPACITY|MISCONFIGURATION):/;

/** Batch gives 0, too, for what has not happened yet. */
const instant = (at: number | undefined) => (at ? new Date(at).toISOString() : undefined);

/**
 * A Batch job in the terms of the JobRunner port, without its result, which is in the object store. A status that Batch
 * may add one day counts as pending: the reconciler asks again.
 */
export function observationOfBatchJob(job: BatchJob): JobObservation {
  const state = states[job.status] ?? 'pending';
  const submittedAt = instant(job.createdAt);
  const startedAt = instant(job.startedAt);
  const finishedAt = instant(job.stoppedAt);
  const exitCode = job.container?.exitCode ?? (state === 'succeeded' ? 0 : undefined);
  const over = isOver(state);
  const fate = state === 'failed' ? fateOf(job) : undefined;
  const { statusReason = '' } = job;
  return {
    jobName: job.jobName,
    jobId: job.jobId,
    state,
    ...(over ? { reason: fate?.reason ?? 'completed' } : {}),
    ...(over && exitCode !== undefined ? { exitCode } : {}),
    ...(state === 'running' && job.container?.containerInstanceArn
      ? { machine: job.container.containerInstanceArn }
      : {}),
    ...(fate ? { message: fate.message } : {}),
    ...(state === 'pending' && blockedMark.test(statusReason) ? { blocked: statusReason } : {}),
    ...(submittedAt ? { submittedAt } : {}),
    ...(startedAt ? { startedAt } : {}),
    ...(over && finishedAt ? { finishedAt } : {}),
  };
}
