import type { JobDefinition, JobDetail, SubmitJobRequest } from '@aws-sdk/client-batch';

export const account = '123456789012';
export const region = 'us-west-2';
/** ARN of something of Batch's. */
export const arnOf = (kind: string, name: string) => `arn:aws:batch:${region}:${account}:${kind}/${name}`;
export const queueArns = {
  spot: arnOf('job-queue', 'spot'),
  'on-demand': arnOf('job-queue', 'on-demand'),
} as const;

/** What a container of the stand-in does once it runs, after so many seconds; never, when `seconds` is absent. */
export interface ContainerFate {
  readonly seconds?: number;
  readonly exitCode?: number;
  readonly statusReason?: string;
  readonly reason?: string;
  /** Why its container never starts, as ECS says it: `CannotPullContainerError: ...`. */
  readonly notStarted?: string;
  /** Stays in RUNNABLE instead of running. */
  readonly notPlaced?: { readonly statusReason?: string };
}

/** How a call goes wrong: before anything happened, or after it was carried out (its answer is lost). */
export interface CallFault {
  readonly error: Error;
  readonly after?: boolean;
}

/** A "Batch Job State Change" in EventBridge's envelope. */
export interface BatchEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': 'Batch Job State Change';
  readonly source: 'aws.batch';
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: JobDetail;
}

/** An error as the SDK throws it. */
export function sdkError(name: string, message = name, httpStatusCode = 400): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode, attempts: 1 } });
}

/** Names of the two queues. */
export interface BatchQueueNames {
  readonly spot: string;
  readonly 'on-demand': string;
}

/** What SubmitJob refuses; gives the definition of a job that it takes. */
export function checkSubmission(
  input: SubmitJobRequest,
  known: { readonly queues: BatchQueueNames; readonly definitions: readonly JobDefinition[] },
): JobDefinition {
  const refuse = (why: string) => sdkError('ClientException', why);
  if (Buffer.byteLength(JSON.stringify(input)) > 30 * 1024) throw refuse('Request is larger than 30 KiB.');
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(input.jobName ?? '')) throw refuse('jobName is not valid.');
  if (!Object.values(known.queues).some((arn) => arn === input.jobQueue))
    throw refuse(`JobQueue ${input.jobQueue} not found.`);
  if (!/^[A-Za-z0-9]{1,255}$/.test(input.shareIdentifier ?? ''))
    throw refuse('shareIdentifier is not valid: the queue has a fair-share policy.');
  if ((input.timeout?.attemptDurationSeconds ?? 60) < 60) throw refuse('Timeout is at least 60 seconds.');
  const { environment = [], resourceRequirements = [], command = [] } = input.containerOverrides ?? {};
  if (command.includes('')) throw refuse('command has an empty string.');
  if (environment.some(({ name }) => name?.startsWith('AWS_BATCH'))) throw refuse('AWS_BATCH is reserved.');
  if (resourceRequirements.some(({ type, value }) => type === 'VCPU' && !/^[1-9]\d*$/.test(value ?? '')))
    throw refuse('VCPU is a whole number on EC2.');
  const { attempts = 1, evaluateOnExit = [] } = input.retryStrategy ?? {};
  if (attempts < 1 || attempts > 10 || evaluateOnExit.length > 5) throw refuse('retryStrategy is not valid.');
  const definition = known.definitions.find((one) => one.jobDefinitionArn === input.jobDefinition);
  if (definition?.status !== 'ACTIVE') throw refuse(`JobDefinition ${input.jobDefinition} not found.`);
  return definition;
}
