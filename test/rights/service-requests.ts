import type { RegisterJobDefinitionRequest, SubmitJobRequest } from '@aws-sdk/client-batch';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { account, arnOf, region } from '../fixtures/aws-base.ts';
import { type AwsRequest, ask, resources, tagContext, throughService } from './requests.ts';

type Of<I> = (input: I) => readonly AwsRequest[];

const { dataKey, localQueues, queues, topic } = resources;

/** The machine and the bucket of the embedded runtime, by the names they have on AWS. */
const onAws = (text: string): string =>
  text
    .replace(/^arn:aws:states:local:\d+:(\w+):(?!epsilon-)/, (_, kind) =>
      arnOf('states', `${kind}:epsilon-dev-`),
    )
    .replace(localQueues.spot, queues.spot)
    .replace(localQueues['on-demand'], queues['on-demand']);

const bucketArn = (name: string) => `arn:aws:s3:::${name}`;
const objectArn = ({ Bucket, Key }: { Bucket: string; Key: string }) => `${bucketArn(Bucket)}/${Key}`;

/** Objects are encrypted under the data key, with a key of the bucket in between: its context is the bucket's ARN. */
const dataKeyUse = (action: 'Decrypt' | 'GenerateDataKey', name: string) =>
  throughService(action, dataKey, 's3', { 'aws:s3:arn': bucketArn(name) });

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
  readonly Tagging?: string;
  readonly CopySource?: string;
  readonly TaggingDirective?: string;
  readonly Prefix?: string;
}

function sourceOf(input: ObjectInput): { Bucket: string; Key: string } {
  const [Bucket = '', ...key] = (input.CopySource ?? '')
    .replace(/^\//, '')
    .split('/')
    .map(decodeURIComponent);
  return { Bucket, Key: key.join('/') };
}

const reading: Of<ObjectInput> = (input) => [
  ask('s3:GetObject', objectArn(input)),
  dataKeyUse('Decrypt', input.Bucket),
];
const writing: Of<ObjectInput> = (input) => [
  ask('s3:PutObject', objectArn(input)),
  dataKeyUse('GenerateDataKey', input.Bucket),
  ...(input.Tagging === undefined ? [] : [ask('s3:PutObjectTagging', objectArn(input))]),
];
/** Without `REPLACE` S3 copies the tags too, which it asks both rights for. */
const copying: Of<ObjectInput> = (input) => [
  ...reading({ ...sourceOf(input) }),
  ...writing(input),
  ...(input.TaggingDirective === 'REPLACE'
    ? []
    : [ask('s3:GetObjectTagging', objectArn(sourceOf(input))), ask('s3:PutObjectTagging', objectArn(input))]),
];

const objects: Readonly<Record<string, Of<ObjectInput>>> = {
  GetObject: reading,
  HeadObject: reading,
  PutObject: writing,
  CopyObject: copying,
  CreateMultipartUpload: writing,
  UploadPart: (input) => [ask('s3:PutObject', objectArn(input)), dataKeyUse('Decrypt', input.Bucket)],
  UploadPartCopy: (input) => [
    ...reading(sourceOf(input)),
    ask('s3:PutObject', objectArn(input)),
    dataKeyUse('GenerateDataKey', input.Bucket),
  ],
  CompleteMultipartUpload: (input) => [
    ask('s3:PutObject', objectArn(input)),
    dataKeyUse('Decrypt', input.Bucket),
  ],
  AbortMultipartUpload: (input) => [ask('s3:AbortMultipartUpload', objectArn(input))],
  GetObjectTagging: (input) => [ask('s3:GetObjectTagging', objectArn(input))],
  PutObjectTagging: (input) => [ask('s3:PutObjectTagging', objectArn(input))],
  DeleteObject: (input) => [ask('s3:DeleteObject', objectArn(input))],
  GetBucketVersioning: (input) => [ask('s3:GetBucketVersioning', bucketArn(input.Bucket))],
  ListObjectsV2: (input) => [
    ask('s3:ListBucket', bucketArn(input.Bucket), { 's3:prefix': input.Prefix ?? '' }),
  ],
};

/** S3 says that an object is not there only to those who might have listed it; to others it says that it is forbidden. */
export function missingObject(input: ObjectInput): AwsRequest {
  const { Bucket, Key } = input.CopySource === undefined ? input : sourceOf(input);
  return ask('s3:ListBucket', bucketArn(Bucket), { 's3:prefix': Key });
}

const definitionArn = (name = '') => arnOf('batch', `job-definition/${name}`);
const someJob = arnOf('batch', 'job/00000000-0000-4000-8000-000000000001');

const submitJob: Of<SubmitJobRequest> = ({ jobDefinition, jobQueue, shareIdentifier, tags }) => {
  const more = tagContext(tags);
  return [
    ask('batch:SubmitJob', jobDefinition ?? '', more),
    ask('batch:SubmitJob', onAws(jobQueue ?? ''), more),
    ask('batch:SubmitJob', someJob, { ...more, 'batch:ShareIdentifier': shareIdentifier ?? '' }),
    ...(tags ? [ask('batch:TagResource', someJob, more)] : []),
  ];
};

const registerJobDefinition: Of<RegisterJobDefinitionRequest> = (input) => {
  const { image, privileged, user, jobRoleArn, executionRoleArn } = input.containerProperties ?? {};
  const tags = tagContext(input.tags);
  const told = {
    ...tags,
    ...(image === undefined ? {} : { 'batch:Image': image }),
    // Nobody documents what the key is when the call does not say: then it is not there.
    ...(privileged === undefined ? {} : { 'batch:Privileged': String(privileged) }),
    ...(user === undefined ? {} : { 'batch:User': user }),
  };
  return [
    ask('batch:RegisterJobDefinition', definitionArn(input.jobDefinitionName), told),
    ...(input.tags ? [ask('batch:TagResource', `${definitionArn(input.jobDefinitionName)}:1`, tags)] : []),
    ...[jobRoleArn, executionRoleArn].flatMap((role) =>
      role === undefined
        ? []
        : [ask('iam:PassRole', role, { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' })],
    ),
  ];
};

const everywhere =
  (action: string): Of<unknown> =>
  () => [ask(action, '*')];

type Batch = SubmitJobRequest &
  RegisterJobDefinitionRequest & { readonly jobId?: string; readonly computeEnvironment?: string };

const batch: Readonly<Record<string, Of<Batch>>> = {
  SubmitJob: submitJob,
  RegisterJobDefinition: registerJobDefinition,
  TerminateJob: ({ jobId }) => [ask('batch:TerminateJob', arnOf('batch', `job/${jobId}`))],
  ListJobs: everywhere('batch:ListJobs'),
  DescribeJobs: everywhere('batch:DescribeJobs'),
  DescribeJobDefinitions: everywhere('batch:DescribeJobDefinitions'),
  DescribeJobQueues: everywhere('batch:DescribeJobQueues'),
  DescribeComputeEnvironments: everywhere('batch:DescribeComputeEnvironments'),
  UpdateComputeEnvironment: ({ computeEnvironment = '' }) => [
    ask('batch:UpdateComputeEnvironment', computeEnvironment),
  ],
};

interface EcsInput {
  readonly cluster: string;
  readonly containerInstance?: string;
  readonly containerInstances?: readonly string[];
  readonly tasks?: readonly string[];
}

const ecs: Readonly<Record<string, Of<EcsInput>>> = {
  ListContainerInstances: (input) => [ask('ecs:ListContainerInstances', input.cluster)],
  DescribeContainerInstances: ({ cluster: of, containerInstances = [] }) =>
    containerInstances.map((one) =>
      ask('ecs:DescribeContainerInstances', one, {
        'ecs:cluster': one.replace(/:container-instance\/([^/]+)\/.*/, `:cluster/${of}`),
      }),
    ),
  ListTasks: ({ cluster: of, containerInstance = '' }) => [
    ask('ecs:ListTasks', containerInstance, { 'ecs:cluster': of }),
  ],
  DescribeTasks: ({ cluster: of, tasks = [] }) =>
    tasks.map((task) => ask('ecs:DescribeTasks', task, { 'ecs:cluster': of })),
};

/** A machine started through an alias: the resource is the machine, the alias a condition. */
function startOf(arn: string): AwsRequest[] {
  const [, machine = arn, qualifier] = /^(.*:stateMachine:[^:]+)(?::(.+))?$/.exec(onAws(arn)) ?? [];
  return [
    ask('states:StartExecution', machine, qualifier ? { 'states:StateMachineQualifier': qualifier } : {}),
  ];
}

interface StatesInput {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly mapRunArn: string;
  readonly stateMachineAliasArn: string;
}

const states: Readonly<Record<string, Of<StatesInput>>> = {
  SendTaskSuccess: everywhere('states:SendTaskSuccess'),
  SendTaskFailure: everywhere('states:SendTaskFailure'),
  SendTaskHeartbeat: everywhere('states:SendTaskHeartbeat'),
  StartExecution: ({ stateMachineArn }) => startOf(stateMachineArn),
  DescribeExecution: ({ executionArn }) => [ask('states:DescribeExecution', onAws(executionArn))],
  StopExecution: ({ executionArn }) => [ask('states:StopExecution', onAws(executionArn))],
  ListMapRuns: ({ executionArn }) => [ask('states:ListMapRuns', onAws(executionArn))],
  DescribeMapRun: ({ mapRunArn }) => [ask('states:DescribeMapRun', onAws(mapRunArn))],
  UpdateMapRun: ({ mapRunArn }) => [ask('states:UpdateMapRun', onAws(mapRunArn))],
  DescribeStateMachineAlias: ({ stateMachineAliasArn: alias }) => [
    ask('states:DescribeStateMachineAlias', onAws(alias)),
  ],
  UpdateStateMachineAlias: ({ stateMachineAliasArn: alias }) => [
    ask('states:UpdateStateMachineAlias', onAws(alias)),
  ],
  ListExecutions: ({ stateMachineArn }) => [ask('states:ListExecutions', onAws(stateMachineArn))],
};

interface KmsInput {
  readonly KeyId: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
}

const keyUse =
  (action: string): Of<KmsInput> =>
  ({ KeyId, EncryptionContext: context = {} }) => [
    ask(`kms:${action}`, KeyId, {
      'kms:EncryptionContextKeys': Object.keys(context),
      ...Object.fromEntries(
        Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
      ),
    }),
  ];

const events: Of<{ Entries: readonly PutEventsRequestEntry[] }> = ({ Entries }) =>
  Entries.map(({ EventBusName, Source = '', DetailType = '' }) =>
    ask('events:PutEvents', arnOf('events', `event-bus/${EventBusName}`), {
      'events:source': Source,
      'events:detail-type': DetailType,
    }),
  );

/** A call on a repository of images. */
const imageUse =
  (action: string): Of<{ repositoryName: string; registryId?: string }> =>
  ({ repositoryName, registryId = account }) => [
    ask(action, arnOf('ecr', `repository/${repositoryName}`).replace(account, registryId)),
  ];

const nodegroup =
  (action: string): Of<{ clusterName: string; nodegroupName: string }> =>
  ({ clusterName, nodegroupName }) => [
    ask(
      action,
      arnOf('eks', `nodegroup/${clusterName}/${nodegroupName}/00000000-0000-4000-8000-00000000000d`),
    ),
  ];

/** The topic is encrypted with the data key. */
const publish: Of<{ TopicArn: string }> = ({ TopicArn }) => [
  ask('sns:Publish', TopicArn),
  throughService('GenerateDataKey', dataKey, 'sns', { 'aws:sns:topicArn': topic }),
  throughService('Decrypt', dataKey, 'sns', { 'aws:sns:topicArn': topic }),
];

interface RdsInput {
  readonly DBInstanceIdentifier?: string;
  readonly DBSnapshotIdentifier?: string;
  readonly SourceDBSnapshotIdentifier?: string;
  readonly TargetDBSnapshotIdentifier?: string;
  readonly TargetDBInstanceIdentifier?: string;
  readonly DBSubnetGroupName?: string;
  readonly DBParameterGroupName?: string;
}

const databaseArn = (kind: string, id = '*') => arnOf('rds', `${kind}:${id}`);

/** RDS opens a key in the caller's name while it copies. */
const grants = (key: string, where: string) =>
  ['kms:CreateGrant', 'kms:DescribeKey'].map((action) =>
    ask(action, key, { 'kms:ViaService': `rds.${where}.amazonaws.com` }),
  );

const rds: Readonly<Record<string, Of<RdsInput>>> = {
  DescribeDBInstances: ({ DBInstanceIdentifier: id }) => [
    ask('rds:DescribeDBInstances', databaseArn('db', id)),
  ],
  DescribeDBInstanceAutomatedBackups: () => [
    ask('rds:DescribeDBInstanceAutomatedBackups', databaseArn('auto-backup', 'ab-1')),
  ],
  DescribeDBSnapshots: ({ DBSnapshotIdentifier: id }) => [
    ask('rds:DescribeDBSnapshots', databaseArn('snapshot', id)),
  ],
  CreateDBSnapshot: ({ DBInstanceIdentifier: of, DBSnapshotIdentifier: id }) => [
    ask('rds:CreateDBSnapshot', databaseArn('db', of)),
    ask('rds:CreateDBSnapshot', databaseArn('snapshot', id)),
    ask('rds:AddTagsToResource', databaseArn('snapshot', id)),
  ],
  CopyDBSnapshot: ({ TargetDBSnapshotIdentifier: id }) => [
    ask('rds:CopyDBSnapshot', databaseArn('snapshot', id)),
    ask('rds:AddTagsToResource', databaseArn('snapshot', id)),
    ...grants(dataKey, region),
  ],
  RestoreDBInstanceToPointInTime: (input) => [
    ...[
      databaseArn('auto-backup', 'ab-1'),
      databaseArn('db', input.TargetDBInstanceIdentifier),
      databaseArn('subgrp', input.DBSubnetGroupName),
      databaseArn('pg', input.DBParameterGroupName),
    ].map((resource) => ask('rds:RestoreDBInstanceToPointInTime', resource)),
    ask('rds:AddTagsToResource', databaseArn('db', input.TargetDBInstanceIdentifier)),
    ...grants(dataKey, region),
    // RDS keeps the administrator's password as a secret of its own, in the caller's name.
    ...['CreateSecret', 'TagResource'].map((action) =>
      ask(`secretsmanager:${action}`, arnOf('secretsmanager', 'secret:rds!db-1')),
    ),
  ],
  DeleteDBInstance: ({ DBInstanceIdentifier: id }) => [ask('rds:DeleteDBInstance', databaseArn('db', id))],
  DeleteDBSnapshot: ({ DBSnapshotIdentifier: id }) => [
    ask('rds:DeleteDBSnapshot', databaseArn('snapshot', id)),
  ],
};

const services: Readonly<Record<string, Readonly<Record<string, Of<never>>>>> = {
  S3Client: objects,
  SQSClient: Object.fromEntries(
    Object.entries({
      GetQueueUrl: 'GetQueueUrl',
      ReceiveMessage: 'ReceiveMessage',
      DeleteMessageBatch: 'DeleteMessage',
    }).map(([call, action]) => [
      call,
      () => [ask(`sqs:${action}`, arnOf('sqs', 'epsilon-dev-replication-events'))],
    ]),
  ),
  S3ControlClient: {
    CreateJob: ({ RoleArn }: { RoleArn: string }) => [
      ask('s3:CreateJob', '*', { 's3:RequestJobOperation': 'S3ReplicateObject' }),
      ask('iam:PassRole', RoleArn, { 'iam:PassedToService': 'batchoperations.s3.amazonaws.com' }),
    ],
    DescribeJob: ({ JobId }: { JobId: string }) => [ask('s3:DescribeJob', arnOf('s3', `job/${JobId}`))],
  },
  BatchClient: batch,
  NonRetryingBatchClient: batch,
  ECSClient: ecs,
  RDSClient: rds,
  SFNClient: states,
  KMSClient: { Decrypt: keyUse('Decrypt'), GenerateDataKey: keyUse('GenerateDataKey') },
  EventBridgeClient: { PutEvents: events },
  SNSClient: { Publish: publish },
  LambdaClient: {
    Invoke: ({ FunctionName }: { FunctionName: string }) => [
      ask('lambda:InvokeFunction', arnOf('lambda', `function:${FunctionName}`)),
    ],
  },
  CostExplorerClient: { GetCostAndUsage: everywhere('ce:GetCostAndUsage') },
  CloudWatchClient: { GetMetricData: everywhere('cloudwatch:GetMetricData') },
  STSClient: {
    AssumeRole: ({ RoleArn, Tags }: { RoleArn: string; Tags: readonly { Key: string; Value: string }[] }) => {
      const context = tagContext(Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])));
      return [ask('sts:AssumeRole', RoleArn, context), ask('sts:TagSession', RoleArn, context)];
    },
  },
  SecretsManagerClient: {
    GetSecretValue: ({ SecretId }: { SecretId: string }) => [
      ask('secretsmanager:GetSecretValue', SecretId),
      throughService('Decrypt', dataKey, 'secretsmanager', { SecretARN: SecretId }),
    ],
  },
  ECRClient: {
    DescribeImages: imageUse('ecr:DescribeImages'),
    BatchGetImage: imageUse('ecr:BatchGetImage'),
    GetDownloadUrlForLayer: imageUse('ecr:GetDownloadUrlForLayer'),
  },
  EKSClient: {
    DescribeCluster: ({ name }: { name: string }) => [
      ask('eks:DescribeCluster', arnOf('eks', `cluster/${name}`)),
    ],
    DescribeNodegroup: nodegroup('eks:DescribeNodegroup'),
    UpdateNodegroupConfig: nodegroup('eks:UpdateNodegroupConfig'),
  },
};

/** What IAM is asked for a call of an SDK client; a call that is not known here is an error, so that none goes unjudged. */
export function requestsOfCall(client: string, command: string, input: unknown): readonly AwsRequest[] {
  const of = services[client]?.[command.replace(/Command$/, '')];
  if (!of) throw new Error(`test/rights does not know which rights ${client} needs for ${command}.`);
  return of(input as never);
}
