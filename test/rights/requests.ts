import { account, arnOf, region } from '../fixtures/aws-base.ts';

/** One thing that IAM decides about: an action on one resource, with what it knows of the call. */
export interface AwsRequest {
  /** `s3:GetObject`. */
  readonly action: string;
  /** ARN; `*` where the action has no resource. */
  readonly resource: string;
  /** Condition keys of the call. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** Name of the table and of the bus, and ARNs of keys and topic, in the environment `dev` of the tests' account. */
export const resources = {
  environment: 'dev',
  bucket: 'embeddings-saas-data-dev',
  table: 'epsilon-dev',
  bus: 'epsilon-dev',
  tokenKey: arnOf('kms', 'key/00000000-0000-4000-8000-00000000000a'),
  dataKey: arnOf('kms', 'key/00000000-0000-4000-8000-00000000000b'),
  replicaKey: `arn:aws:kms:us-east-1:${account}:key/00000000-0000-4000-8000-00000000000d`,
  replicaBucket: 'embeddings-saas-data-dev-replica',
  database: 'embeddings-saas-db-dev',
  landing: 'epsilon-dev-restored',
  logsKey: arnOf('kms', 'key/00000000-0000-4000-8000-00000000000c'),
  topic: arnOf('sns', 'epsilon-dev-alerts'),
  cluster: 'embeddings-saas-cluster-dev',
  cacheSecret: arnOf('secretsmanager', 'secret:epsilon/dev/redis-AbCdEf'),
  queues: {
    spot: arnOf('batch', 'job-queue/epsilon-dev-batch-spot'),
    'on-demand': arnOf('batch', 'job-queue/epsilon-dev-batch-on-demand'),
  },
  /** What the rules of the embedded runtime call the queues, and its job events with them. */
  localQueues: { spot: 'local:BatchSpotQueueArn', 'on-demand': 'local:BatchOnDemandQueueArn' },
  repository: (image: string) => `${account}.dkr.ecr.${region}.amazonaws.com/epsilon-dev/${image}`,
  role: (part: string) => `arn:aws:iam::${account}:role/epsilon-dev-${part}`,
} as const;

/** One request. */
export const ask = (action: string, resource: string, context: AwsRequest['context'] = {}): AwsRequest => ({
  action,
  resource,
  context,
});

/** A use of a KMS key through another service, whose encryption context names the resource. */
export function throughService(
  action: 'Decrypt' | 'GenerateDataKey',
  key: string,
  service: string,
  context: Readonly<Record<string, string>>,
): AwsRequest {
  return ask(`kms:${action}`, key, {
    'kms:ViaService': `${service}.${region}.amazonaws.com`,
    'kms:EncryptionContextKeys': Object.keys(context),
    ...Object.fromEntries(
      Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
    ),
  });
}

/** Tags of a call, as IAM sees them. */
export function tagContext(tags: Readonly<Record<string, string>> = {}): AwsRequest['context'] {
  const entries = Object.entries(tags);
  if (entries.length === 0) return {};
  return {
    'aws:TagKeys': entries.map(([key]) => key),
    ...Object.fromEntries(entries.map(([key, value]) => [`aws:RequestTag/${key}`, value])),
  };
}

/** A request as it is made in another region: of what is there, under the key that is there. */
export function inRegion({ action, resource, context }: AwsRequest, there: string): AwsRequest {
  const moved = (text: string) =>
    text
      .replace(resources.dataKey, resources.replicaKey)
      .replace(`:${region}:`, `:${there}:`)
      .replace(`.${region}.`, `.${there}.`);
  const values = Object.entries(context).map(([key, value]) => [
    key,
    typeof value === 'string' ? moved(value) : value,
  ]);
  return { action, resource: moved(resource), context: Object.fromEntries(values) };
}
