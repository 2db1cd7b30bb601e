import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { sdkError } from '../aws/batch-stand-in.ts';

/** Answers one call of an SDK client as the service would. */
export type Answer = (input: never) => Promise<unknown> | unknown;

const uriOf = ({ Bucket, Key }: { Bucket: string; Key: string }) => `s3://${Bucket}/${Key}`;

/** The errors of the port, in the service's own words. */
async function s3Errors<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof ConditionFailed) throw sdkError('PreconditionFailed');
    if (error instanceof EpsilonError && error.code === 'OBJECT_NOT_FOUND') throw sdkError('NoSuchKey');
    throw error;
  });
}

interface Put {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body?: Uint8Array | string;
  readonly IfNoneMatch?: string;
}

function objectAnswers({ objects }: Pick<Ports, 'objects'>): Record<string, Answer> {
  const head = async (place: Put) => {
    const found = await objects.head(uriOf(place));
    if (!found) throw sdkError('NotFound');
    return { ContentLength: found.size, LastModified: new Date(found.modifiedAt) };
  };
  return {
    GetObject: async (place: Put) => {
      const body = await s3Errors(objects.get(uriOf(place)));
      const Body = Object.assign(Readable.from([body]), { transformToByteArray: async () => body });
      return { Body, ContentLength: body.length };
    },
    HeadObject: head,
    PutObject: async ({ Body = '', IfNoneMatch, ...place }: Put) => {
      await s3Errors(objects.put(uriOf(place), Body, { ifAbsent: IfNoneMatch !== undefined }));
      return {};
    },
    CopyObject: async ({ CopySource, ...place }: Put & { CopySource: string }) => {
      const source = CopySource.split('/').map(decodeURIComponent).join('/');
      await s3Errors(objects.copy(`s3://${source}`, uriOf(place)));
      return {};
    },
    GetBucketVersioning: () => ({ Status: 'Enabled' }),
    DeleteObject: async (place: Put) => {
      await objects.delete(uriOf(place));
      return {};
    },
    ListObjectsV2: async ({ Bucket, Prefix }: { Bucket: string; Prefix: string }) => {
      const found = await Array.fromAsync(objects.list(`s3://${Bucket}/${Prefix}`));
      return {
        Contents: found.map(({ uri, size, modifiedAt }) => ({
          Key: uri.slice(`s3://${Bucket}/`.length),
          Size: size,
          LastModified: new Date(modifiedAt),
        })),
      };
    },
  };
}

/** What is left of a refused answer: the name of the service's own error. */
async function outcome(call: Promise<'delivered' | 'gone'>): Promise<object> {
  if ((await call) === 'gone') throw sdkError('TaskTimedOut');
  return {};
}

interface Sent {
  readonly taskToken: string;
  readonly output: string;
  readonly error: string;
  readonly cause: string;
}

/** One message, and then none. */
function receiveOnce(): Answer {
  let given = false;
  return () => {
    const Messages = given ? [] : [{ ReceiptHandle: 'r', Body: '{}' }];
    given = true;
    return { Messages };
  };
}

/** A machine's key of its name on AWS, with or without qualifier. */
const machineKey = (arn: string) => /:epsilon-[a-z]+-([a-z-]+)(?::[^:]+)?$/.exec(arn)?.[1] ?? '';

interface Started {
  readonly stateMachineArn: string;
  readonly name: string;
  readonly input: string;
}

interface Listed {
  readonly stateMachineArn: string;
  readonly statusFilter?: 'RUNNING';
}

function statesAnswers({
  callbacks,
  workflows,
}: Pick<Ports, 'callbacks' | 'workflows'>): Record<string, Answer> {
  return {
    SendTaskSuccess: ({ taskToken, output }: Sent) =>
      outcome(callbacks.succeed(taskToken, JSON.parse(output) as never)),
    SendTaskFailure: ({ taskToken, error, cause }: Sent) =>
      outcome(callbacks.fail(taskToken, { error, cause })),
    SendTaskHeartbeat: ({ taskToken }: Sent) => outcome(callbacks.heartbeat(taskToken)),
    StartExecution: async ({ stateMachineArn, name, input }: Started) => {
      const start = { machine: machineKey(stateMachineArn), name, input: JSON.parse(input) };
      const { executionArn } = await workflows.start(start).catch((error: { code?: string }) => {
        throw error.code === 'EXECUTION_ALREADY_EXISTS' ? sdkError('ExecutionAlreadyExists') : error;
      });
      return { executionArn, startDate: new Date(0) };
    },
    DescribeExecution: async ({ executionArn }: { executionArn: string }) => {
      const machineOnAws = machineKey(executionArn);
      const { input, output, startDate, stopDate, machine, ...found } = await workflows.describe(
        machineOnAws === '' ? executionArn : `${machineOnAws}/${executionArn.split(':').at(-1)}`,
      );
      return {
        ...found,
        stateMachineArn: executionArn
          .split(':')
          .slice(0, -1)
          .join(':')
          .replace(':execution:', ':stateMachine:'),
        startDate: new Date(startDate),
        ...(stopDate === undefined ? {} : { stopDate: new Date(stopDate) }),
        input: JSON.stringify(input),
        ...(output === undefined ? {} : { output: JSON.stringify(output) }),
      };
    },
    DescribeStateMachineAlias: ({ stateMachineAliasArn: alias }: { stateMachineAliasArn: string }) => ({
      routingConfiguration: [1, 2].map((version) => ({
        stateMachineVersionArn: alias.replace(/live$/, String(version)),
        weight: version === 1 ? 90 : 10,
      })),
    }),
    UpdateStateMachineAlias: () => ({ updateDate: new Date(0) }),
    ListExecutions: async ({ stateMachineArn, statusFilter }: Listed) => {
      const all = await workflows.list({
        machine: machineKey(stateMachineArn),
        ...(statusFilter === undefined ? {} : { status: statusFilter }),
      });
      return { executions: all.map(({ startDate, ...one }) => ({ ...one, startDate: new Date(startDate) })) };
    },
    ListMapRuns: async ({ executionArn }: { executionArn: string }) => ({
      mapRuns: (await workflows.mapRuns(executionArn)).map(({ mapRunArn }) => ({ mapRunArn })),
    }),
    DescribeMapRun: async ({ mapRunArn }: { mapRunArn: string }) => {
      const { startDate, stopDate: _, children, ...found } = await workflows.describeMapRun(mapRunArn);
      return { ...found, startDate: new Date(startDate), executionCounts: children };
    },
    UpdateMapRun: async ({ mapRunArn, ...changes }: { mapRunArn: string; maxConcurrency: number }) => {
      await workflows.updateMapRun(mapRunArn, changes);
      return {};
    },
  };
}

/** Keys without KMS: wrapping is turning the bytes round. */
const keyAnswers: Record<string, Answer> = {
  GenerateDataKey: () => {
    const key = new Uint8Array(randomBytes(32));
    return { Plaintext: key, CiphertextBlob: key.toReversed() };
  },
  Decrypt: ({ CiphertextBlob }: { CiphertextBlob: Uint8Array }) => ({
    Plaintext: CiphertextBlob.toReversed(),
  }),
};

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
}

/** What the stand-ins answer with: the embedded runtime's own ports, and which instance runs which ECS tasks. */
export interface Behind {
  readonly ports: Pick<Ports, 'objects' | 'callbacks' | 'workflows' | 'events'>;
  /** Tags of the tasks on an instance, of the first cluster asked. */
  readonly tasksOn: () => readonly Readonly<Record<string, string>>[];
  /** Of every image, as `sha256:...`. */
  readonly digest: () => string;
}

function ecsAnswers(tasksOn: Behind['tasksOn']): Record<string, Answer> {
  const placeOf = (cluster: string, kind: string, id: string) =>
    `${cluster.replace(':cluster/', `:${kind}/`)}/${id}`;
  return {
    ListContainerInstances: ({ cluster }: { cluster: string }) => ({
      containerInstanceArns: [placeOf(cluster, 'container-instance', '1')],
    }),
    DescribeContainerInstances: ({ containerInstances }: { containerInstances: readonly string[] }) => ({
      containerInstances: containerInstances.map((containerInstanceArn) => ({
        containerInstanceArn,
        attributes: [
          { name: 'ecs.instance-type', value: 'c5.4xlarge' },
          { name: 'ecs.availability-zone', value: 'us-west-2a' },
        ],
      })),
    }),
    ListTasks: ({ cluster }: { cluster: string }) => ({
      taskArns: tasksOn().map((_, index) => placeOf(cluster, 'task', String(index))),
    }),
    DescribeTasks: ({ tasks }: { tasks: readonly string[] }) => ({
      tasks: tasks.map((arn) => ({
        tags: Object.entries(tasksOn()[Number(arn.split('/').at(-1))] ?? {}).map(([key, value]) => ({
          key,
          value,
        })),
      })),
    }),
  };
}

/** Answers of every service but DynamoDB and Batch, which have stand-ins of their own, by client and command. */
export function serviceAnswers({ ports, tasksOn, digest }: Behind): Record<string, Record<string, Answer>> {
  return {
    S3Client: objectAnswers(ports),
    SFNClient: statesAnswers(ports),
    KMSClient: keyAnswers,
    ECSClient: ecsAnswers(tasksOn),
    STSClient: {
      AssumeRole: () => ({
        Credentials: {
          AccessKeyId: 'ASIA',
          SecretAccessKey: 'test',
          SessionToken: 'test',
          Expiration: new Date(900_000),
        },
      }),
    },
    LambdaClient: {
      Invoke: ({ Payload }: { Payload: string }) => ({
        Payload: new TextEncoder().encode(
          JSON.stringify((JSON.parse(Payload) as object)['epsilon:report' as never]),
        ),
      }),
    },
    SNSClient: { Publish: () => ({ MessageId: '1' }) },
    SQSClient: {
      GetQueueUrl: () => ({ QueueUrl: 'https://queue' }),
      ReceiveMessage: receiveOnce(),
      DeleteMessageBatch: () => ({}),
    },
    CloudWatchClient: { GetMetricData: () => ({ MetricDataResults: [] }) },
    CostExplorerClient: { GetCostAndUsage: () => ({ ResultsByTime: [] }) },
    ECRClient: {
      DescribeImages: () => ({
        imageDetails: [{ imageDigest: digest(), imageTags: ['v1'], imagePushedAt: new Date(0) }],
      }),
      BatchGetImage: () => ({
        images: [{ imageManifest: JSON.stringify({ config: { digest: digest(), size: 100 } }) }],
      }),
      GetDownloadUrlForLayer: () => ({
        downloadUrl: `data:,${encodeURIComponent('{"config":{"Labels":{"epsilon.contract":"1,2"}}}')}`,
      }),
    },
    EventBridgeClient: {
      PutEvents: async ({ Entries }: { Entries: readonly Entry[] }) => {
        await ports.events.publish(
          Entries.map(({ Source, DetailType, Detail }) => ({
            source: Source as never,
            detailType: DetailType,
            detail: JSON.parse(Detail) as Record<string, unknown>,
          })),
        );
        return { FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: '1' })) };
      },
    },
  };
}
