import type { EvaluateOnExit, RetryStrategy, SubmitJobRequest } from '@aws-sdk/client-batch';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import { batchShareOf } from '../../training/attempts/batch-share.ts';
import type { JobSpec } from '../../training/attempts/job.ts';

/** Bytes one SubmitJob may have. */
const largestPayload = 30 * 1_024;

/** Shortest timeout Batch takes, in seconds, and least memory, in mebibytes. */
const shortestTimeout = 60;
const leastMemory = 4;

/** Limits of a retry strategy: attempts, and conditions on exit. */
const mostAttempts = 10;
const mostConditions = 5;

/** Where a job leaves its result inside its container: /tmp is a tmpfs, the root file system is read-only. */
const resultPath = '/tmp/result.json';

/** What a job is submitted with, beside its spec. */
export interface BatchDeployment {
  readonly queueArn: string;
  readonly definitionArn: string;
  readonly environment: string;
  readonly region: string;
  /** Where the job asks for credentials of its attempt. */
  readonly credentialsUrl?: string;
}

/**
 * Batch's retry strategy. A list of conditions without match retries, so it always ends in one that matches everything.
 * Throws `BATCH_RETRY_RANGE` outside of Batch's limits.
 */
export function retryStrategyOf(attempts: number, conditions: readonly EvaluateOnExit[] = []): RetryStrategy {
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > mostAttempts)
    throw new EpsilonError('BATCH_RETRY_RANGE', `A job has 1 to ${mostAttempts} attempts, not ${attempts}.`);
  const all: EvaluateOnExit[] = [...conditions, { onReason: '*', action: 'EXIT' }];
  if (all.length > mostConditions)
    throw new EpsilonError(
      'BATCH_RETRY_RANGE',
      `A retry strategy has at most ${mostConditions} conditions, the last one included, not ${all.length}.`,
    );
  return { attempts, evaluateOnExit: all };
}

/** Tags that say whose job it is; they go on to its ECS task, where a spot warning finds the attempt. */
export const jobTags = {
  environment: 'epsilon:environment',
  tenant: 'epsilon:tenant',
  run: 'epsilon:run',
  stage: 'epsilon:stage',
  attempt: 'epsilon:attempt',
  trace: 'epsilon:trace',
} as const;

/** Tag values are letters, digits, spaces and `+ - = . _ : / @`; an execution's name may have more. */
const tagValue = (text: string) => text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '_').slice(0, 256);

function tagsOf(spec: JobSpec, environment: string): Record<string, string> {
  return {
    [jobTags.environment]: environment,
    [jobTags.tenant]: spec.tenantId,
    [jobTags.run]: tagValue(spec.runId),
    [jobTags.stage]: spec.stage,
    [jobTags.attempt]: String(spec.attempt),
    [jobTags.trace]: spec.traceId,
  };
}

function environmentOf(spec: JobSpec, deployment: BatchDeployment): { name: string; value: string }[] {
  const variables = {
    ...spec.environment,
    EPSILON_RESULT_PATH: resultPath,
    ...(deployment.credentialsUrl === undefined
      ? {}
      : { EPSILON_CREDENTIALS_URL: deployment.credentialsUrl }),
    AWS_REGION: deployment.region,
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

/** Queues with fair shares refuse jobs without one (infra/pulumi/batch.ts). */
function shareOf({ tenantId, priority }: JobSpec): Partial<SubmitJobRequest> {
  const { shareIdentifier, schedulingPriority } = batchShareOf(tenantId, priority);
  return { shareIdentifier, schedulingPriorityOverride: schedulingPriority };
}

/**
 * The SubmitJob call of a spec. One Batch attempt, because retries belong to the state machine. EC2 hosts take whole vCPUs.
 * Throws `JOB_PAYLOAD_TOO_LARGE` for a job that Batch would refuse for its size.
 */
export function submitInputOf(spec: JobSpec, deployment: BatchDeployment): SubmitJobRequest {
  const input: SubmitJobRequest = {
    jobName: spec.jobName,
    jobQueue: deployment.queueArn,
    jobDefinition: deployment.definitionArn,
    containerOverrides: {
      command: [...spec.arguments],
      environment: environmentOf(spec, deployment),
      resourceRequirements: [
        { type: 'VCPU', value: String(Math.max(1, Math.ceil(spec.resources.cpu))) },
        { type: 'MEMORY', value: String(Math.max(leastMemory, Math.ceil(spec.resources.memoryMiB))) },
      ],
    },
    ...shareOf(spec),
    retryStrategy: retryStrategyOf(1),
    timeout: { attemptDurationSeconds: Math.max(shortestTimeout, Math.ceil(spec.timeoutSeconds)) },
    propagateTags: true,
    tags: tagsOf(spec, deployment.environment),
  };
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes <= largestPayload) return input;
  throw new EpsilonError(
    'JOB_PAYLOAD_TOO_LARGE',
    `Job ${spec.jobName} would be submitted with ${bytes} bytes; Batch accepts ${largestPayload}. Its arguments and inputs are too long.`,
    { details: { bytes, limit: largestPayload } },
  );
}
