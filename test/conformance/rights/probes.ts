import { account, arnOf } from '../../fixtures/aws-base.ts';
import { type AwsRequest, ask, resources } from '../../rights/requests.ts';
import { requestsOfCall } from '../../rights/service-requests.ts';

/** A request that a function's role must refuse, or every function's. */
export interface Probe {
  readonly of: string | 'everybody';
  /** Whose work it is after all. */
  readonly except?: readonly string[];
  readonly why: string;
  readonly request: AwsRequest;
}

const table = arnOf('dynamodb', `table/${resources.table}`);
const bucket = `arn:aws:s3:::${resources.bucket}`;
const definition = arnOf('batch', 'job-definition/epsilon-dev-stage-train-r1-0000000000000000');
const image = `${resources.repository('ml-engine')}@sha256:${'0'.repeat(64)}`;
const foreign = `arn:aws:ecs:us-west-2:${account}:cluster/somebody-elses`;
const leading = (partition: string) => ({ 'dynamodb:LeadingKeys': [partition] });
const context = (purpose: string) => ({
  'kms:EncryptionContextKeys': ['epsilon:purpose'],
  'kms:EncryptionContext:epsilon:purpose': purpose,
});

const definitions = (of: string): Probe[] => {
  const register = (why: string, told: AwsRequest['context'], on = definition): Probe => ({
    of,
    why,
    request: ask('batch:RegisterJobDefinition', on, told),
  });
  const ours = { 'batch:Image': image, 'batch:Privileged': 'false' };
  return [
    register('an image of somebody else', { ...ours, 'batch:Image': 'docker.io/library/busybox:latest' }),
    register('an image of another environment', {
      ...ours,
      'batch:Image': image.replace('epsilon-dev/', 'epsilon-other/'),
    }),
    register('an image by its tag', {
      ...ours,
      'batch:Image': `${resources.repository('ml-engine')}:latest`,
    }),
    register('a container that rules its host', { ...ours, 'batch:Privileged': 'true' }),
    register('a definition that names no image', { 'batch:Privileged': 'false' }),
    register('a definition that does not say whether it is privileged', { 'batch:Image': image }),
    register('a definition of another name', ours, arnOf('batch', 'job-definition/anything')),
    {
      of,
      why: 'a role that jobs do not have',
      request: ask('iam:PassRole', resources.role('tenant-job'), {
        'iam:PassedToService': 'ecs-tasks.amazonaws.com',
      }),
    },
    {
      of,
      why: 'a role for another service',
      request: ask('iam:PassRole', resources.role('job-batch'), {
        'iam:PassedToService': 'ec2.amazonaws.com',
      }),
    },
    {
      of,
      why: 'a queue of somebody else',
      request: ask('batch:SubmitJob', arnOf('batch', 'job-queue/somebody-elses')),
    },
  ];
};

const tokenKey = (of: string): Probe[] => [
  ...['Decrypt', 'GenerateDataKey'].flatMap((action): Probe[] => [
    {
      of,
      why: 'the token key for another purpose',
      request: ask(`kms:${action}`, resources.tokenKey, context('another')),
    },
    { of, why: 'the token key without a purpose', request: ask(`kms:${action}`, resources.tokenKey) },
  ]),
  {
    of,
    why: 'another action on the token key',
    request: ask('kms:Encrypt', resources.tokenKey, context('task-token')),
  },
];

const instances: Probe[] = [
  ask('ecs:ListContainerInstances', foreign),
  ask('ecs:ListTasks', foreign.replace('cluster/', 'container-instance/').concat('/1'), {
    'ecs:cluster': foreign,
  }),
  ask('ecs:DescribeContainerInstances', foreign.replace('cluster/', 'container-instance/').concat('/1'), {
    'ecs:cluster': foreign,
  }),
  ask('ecs:DescribeTasks', foreign.replace('cluster/', 'task/').concat('/1'), { 'ecs:cluster': foreign }),
  ask('ecs:DescribeTasks', foreign.replace('cluster/', 'task/').concat('/1')),
  ask('ecs:StopTask', arnOf('ecs', 'task/epsilon-dev-batch-spot-1_Batch_0/1'), {
    'ecs:cluster': arnOf('ecs', 'cluster/epsilon-dev-batch-spot-1_Batch_0'),
  }),
].map((request) => ({ of: 'vacateInstance', why: 'tasks of somebody else, or more than to look', request }));

const others: Probe[] = [
  {
    of: 'watchNight',
    why: 'the Map of another machine',
    request: ask('states:UpdateMapRun', arnOf('states', 'mapRun:epsilon-dev-data-quality-check/x:1')),
  },
  {
    of: 'fillCache',
    why: 'another secret of the environment',
    request: ask('secretsmanager:GetSecretValue', arnOf('secretsmanager', 'secret:epsilon/dev/rds-AbCdEf')),
  },
  {
    of: 'fillCache',
    why: 'a model',
    request: ask('s3:GetObject', `arn:aws:s3:::${resources.bucket}/acme/runs/r/train/1/model.bin`),
  },
];

/** What one function has to do, or two, and no other may. */
const worksOf: Readonly<Record<string, readonly string[]>> = {
  'a tenant’s documents': ['profileShard'],
  'a live model': ['profileShard'],
  'everything in the bucket': ['profileShard'],
  'a tenant’s listing': ['profileShard'],
  'the night’s executions': ['loadTenants', 'watchNight', 'reconcileJobs'],
  'an execution’s end': ['reconcileJobs'],
  'an object’s end': ['removeRetired'],
  'the tenant role': ['lendCredentials'],
};

const everybody: Probe[] = [
  ['the whole table', ask('dynamodb:Scan', table)],
  ['a partition that nobody has', ask('dynamodb:GetItem', table, leading('SECRET#1'))],
  [
    'several partitions, one of them nobody’s',
    ask('dynamodb:BatchGetItem', table, { 'dynamodb:LeadingKeys': ['RUN#1', 'SECRET#1'] }),
  ],
  [
    'another environment’s table',
    ask('dynamodb:GetItem', table.replace('epsilon-dev', 'epsilon-other'), leading('RUN#1')),
  ],
  ['the table’s end', ask('dynamodb:DeleteTable', table)],
  [
    'a bus of somebody else',
    ask('events:PutEvents', arnOf('events', 'event-bus/default'), {
      'events:source': 'epsilon.training',
      'events:detail-type': 'Model Promoted',
    }),
  ],
  ['a topic of somebody else', ask('sns:Publish', arnOf('sns', 'anything'))],
  [
    'a bucket of somebody else',
    ask('s3:GetObject', 'arn:aws:s3:::somebody-elses/acme/runs/r/train/1/result.json'),
  ],
  ['a tenant’s documents', ask('s3:GetObject', `${bucket}/acme/documents/a.txt`)],
  ['a live model', ask('s3:GetObject', `${bucket}/acme/model.bin`)],
  ['an object’s end', ask('s3:DeleteObject', `${bucket}/acme/runs/r/train/1/model.bin`)],
  ['everything in the bucket', ask('s3:ListBucket', bucket)],
  ['a tenant’s listing', ask('s3:ListBucket', bucket, { 's3:prefix': 'acme/' })],
  ['a machine of somebody else', ask('states:StartExecution', arnOf('states', 'stateMachine:anything'))],
  [
    'a machine of ours',
    ask('states:StartExecution', arnOf('states', 'stateMachine:epsilon-dev-nightly-training'), {
      'states:StateMachineQualifier': 'live',
    }),
  ],
  ['an execution of somebody else', ask('states:DescribeExecution', arnOf('states', 'execution:anything:1'))],
  [
    'the night’s executions',
    ask('states:ListExecutions', arnOf('states', 'stateMachine:epsilon-dev-nightly-training')),
  ],
  [
    'an execution’s end',
    ask('states:StopExecution', arnOf('states', 'execution:epsilon-dev-tenant-model-training:1')),
  ],
  ['a function', ask('lambda:InvokeFunction', arnOf('lambda', 'function:epsilon-dev-promoteModel:1'))],
  [
    'the tenant role',
    ask('sts:AssumeRole', resources.role('tenant-job'), {
      'aws:RequestTag/TenantId': 'acme',
      'aws:TagKeys': ['TenantId'],
    }),
  ],
  ['a secret', ask('secretsmanager:GetSecretValue', arnOf('secretsmanager', 'secret:embeddings-cache-1'))],
  ['the key of logs', ask('kms:Decrypt', resources.logsKey)],
].map(([why, request]) => {
  const except = worksOf[why as string];
  return { of: 'everybody', why, request, ...(except === undefined ? {} : { except }) } as Probe;
});

/** What must be refused. */
export const probes: readonly Probe[] = [
  ...everybody,
  ...['submitStage', 'reconcileJobs'].flatMap((of) => [...definitions(of), ...tokenKey(of)]),
  ...tokenKey('completeJob'),
  ...[
    'loadTenants',
    'judgeNight',
    'beginRun',
    'promoteModel',
    'alignFixedNames',
    'finishRun',
    'settleRun',
    'vacateInstance',
    'lendCredentials',
    'watchNight',
    'fillCache',
  ].map(
    (of): Probe => ({
      of,
      why: 'a task token opened',
      request: ask('kms:Decrypt', resources.tokenKey, context('task-token')),
    }),
  ),
  ...instances,
  ...others,
  ...requestsOfCall('BatchClient', 'TerminateJob', { jobId: '1' }).map(
    (request): Probe => ({ of: 'submitStage', why: 'a job stopped', request }),
  ),
];

/** Kinds of requests that some function makes and that another one may make too although it never does, with the reason. */
export const shared: readonly { readonly kind: RegExp; readonly of?: string; readonly reason: string }[] = [
  {
    kind: /^dynamodb:\w+ (table|index) \w+#?$/,
    reason:
      'reading and writing are granted whole for each partition; test/rights/rights.test.ts holds each partition to its use',
  },
  {
    kind: /^kms:Decrypt data-key/,
    reason: 'every function decrypts environment and table with the data key',
  },
  {
    kind: /^kms:GenerateDataKey data-key/,
    reason: 'one statement for all that a function writes under the data key',
  },
  {
    kind: /^kms:(Decrypt|GenerateDataKey) token-key/,
    reason: 'who seals or opens a token may be the day’s first and make its key, or find it made',
  },
  { kind: /^s3:ListBucket \S+ results/, reason: 'who asks for a result learns that it is missing' },
  ...['submitStage', 'completeJob', 'fillCache', 'reconcileJobs', 'settleRun', 'vacateInstance'].map(
    (of) => ({
      kind: /^s3:ListBucket \S+ outputs/,
      of,
      reason: 'who asks for a result learns that it is missing by one statement for the outputs of runs',
    }),
  ),
  {
    kind: /^states:ListExecutions \S*nightly-training/,
    of: 'reconcileJobs',
    reason: 'where a restored state goes on, whatever trains is stopped',
  },
  {
    kind: /^s3:(Get|Put)Object \S*quality/,
    reason: 'the steps of a check share a folder: each reads what the one before has written',
  },
  {
    kind: /^s3:GetObject/,
    of: 'profileShard',
    reason: 'documents of tenants may be anywhere in the bucket',
  },
  {
    kind: /^(s3:ListBucket \S+ outputs|s3:GetObject \S*scaling|batch:Describe)/,
    of: 'prewarmNight',
    reason: 'what is asked of queues and of the settings of scaling has one statement for its functions',
  },
  {
    kind: /^s3:GetObject \S*scaling/,
    of: 'decideCapacity',
    reason: 'one statement for the records of scaling, of which it reads what was decided and set',
  },
  {
    kind: /^s3:GetObject \S*recovery\//,
    reason: 'the steps of a restore read the heartbeat and the exports of the other region',
  },
  {
    kind: /^rds:(DescribeDBSnapshots|DeleteDBSnapshot) /,
    reason: 'the steps of a backup share one statement for the snapshots of this environment',
  },
  {
    kind: /^(rds:DescribeDBInstances|dynamodb:\w+) \S*-(drill|restore)-\*/,
    reason: 'the steps of a restore look at and write what is restored, whether for a drill or not',
  },
  { kind: /^s3:GetObject \S*runs/, reason: 'promotion copies what stages left, whatever its name' },
];
