import { machineNames } from '../../lib/aws/stepfunctions/machine-names.ts';
import { heartbeatDatabase } from '../../lib/backup/cloud/heartbeat.ts';
import { functionIds } from '../../lib/config/logical-ids.ts';
import { account, arnOf, region } from '../fixtures/aws-base.ts';
import { at, ofType } from '../service/template.ts';
import { type AwsRequest, ask, inRegion, resources, throughService } from './requests.ts';
import { type Place, Resolver } from './role-policies.ts';
import { missingObject, requestsOfCall } from './service-requests.ts';

const names = machineNames({
  partition: 'aws',
  accountId: account,
  region,
  environment: resources.environment,
});

const copy = {
  Bucket: resources.bucket,
  Key: 'acme/model.bin',
  CopySource: `${resources.bucket}/acme/runs/acme-2026-11-24/train/1/model.bin`,
};
const group = { clusterName: resources.cluster, nodegroupName: 'general-a' };
const record = { Bucket: resources.bucket, Key: 'scaling/groups/general-a.json' };
const setsQueues = [
  ...['DescribeJobQueues', 'DescribeComputeEnvironments'].flatMap((command) =>
    requestsOfCall('BatchClient', command, {}),
  ),
  ...requestsOfCall('BatchClient', 'UpdateComputeEnvironment', {
    computeEnvironment: arnOf('batch', 'compute-environment/epsilon-dev-batch-spot-20261124'),
  }),
];
const capacityOverride = { Bucket: resources.bucket, Key: 'scaling/override.json' };
const setsGroups = ['DescribeNodegroup', 'UpdateNodegroupConfig'].flatMap((command) =>
  requestsOfCall('EKSClient', command, group),
);
/** A connection as the user of the heartbeat, to some instance of a region. */
const heartbeatIn = (where: string) =>
  ask('rds-db:connect', `arn:aws:rds-db:${where}:${account}:dbuser:db-ABC/${heartbeatDatabase.user}`);
/** A request to the items of a partition. */
const onTable = (action: string, partition: string) => [
  ask(`dynamodb:${action}`, arnOf('dynamodb', `table/${resources.table}`), {
    'dynamodb:LeadingKeys': [partition],
  }),
];
const trained = { Bucket: resources.bucket, Key: 'acme/runs/acme-2026-11-24/train/1/model.bin' };
const replicated = { ...trained, Bucket: resources.replicaBucket };
const part = { Bucket: resources.bucket, Key: 'acme/training_data/old.jsonl' };

/**
 * Requests that no scenario brings about: they take more runs (lib/operations/reconcile/reconcile-runs.ts), larger objects, or
 * what an earlier model left.
 */
export const rareRequests: Readonly<Record<string, readonly AwsRequest[]>> = {
  reconcileJobs: [
    // Of a job that looks at a dataset: whether its check still runs.
    ...requestsOfCall('SFNClient', 'DescribeExecution', {
      executionArn: names.executionArn('data-quality-check/for-0'),
    }),
    ...requestsOfCall('SFNClient', 'ListExecutions', {
      stateMachineArn: names.machineArn('tenant-model-training'),
    }),
    // Where a restored state goes on instead.
    ...['nightly-training', 'data-quality-check', 'tenant-model-training'].flatMap((machine) => [
      ...requestsOfCall('SFNClient', 'ListExecutions', { stateMachineArn: names.machineArn(machine) }),
      ...requestsOfCall('SFNClient', 'StopExecution', { executionArn: names.executionArn(`${machine}/one`) }),
    ]),
  ],
  // What a consumer has written, the answer once all have, and the day's first token.
  awaitConsumers: [
    ...requestsOfCall('SFNClient', 'SendTaskSuccess', {}),
    ...requestsOfCall('KMSClient', 'GenerateDataKey', {
      KeyId: resources.tokenKey,
      EncryptionContext: { 'epsilon:purpose': 'task-token' },
    }),
    ...requestsOfCall('S3Client', 'GetObject', {
      Bucket: resources.replicaBucket,
      Key: 'recovery/consumers/loadTenants.json',
    }).map((request) => inRegion(request, 'us-east-1')),
  ],
  // Of a database that ends otherwise than it was to.
  wakeRestore: requestsOfCall('SFNClient', 'SendTaskFailure', {}),
  // Of a night that more tenants at a time help, and of one whose Map was redriven: it goes on with an earlier round's list.
  watchNight: [
    ...requestsOfCall('SFNClient', 'UpdateMapRun', {
      mapRunArn: 'arn:aws:states:local:000000000000:mapRun:nightly-training/TrainTenants:1',
    }),
    missingObject({ Bucket: resources.bucket, Key: 'nights/2026-11-24/night-1/tenants-1.json' }),
  ],
  // Where functions reach the network of the cache.
  fillCache: [
    ...requestsOfCall('S3Client', 'GetObject', {
      Bucket: resources.bucket,
      Key: 'acme/runs/acme-2026-11-24/cache/1/cache.jsonl',
    }),
    missingObject({ Bucket: resources.bucket, Key: 'acme/runs/acme-2026-11-24/cache/1/cache.jsonl' }),
    ...requestsOfCall('SecretsManagerClient', 'GetSecretValue', { SecretId: resources.cacheSecret }),
  ],
  // Where functions reach the network of the database.
  beatStores: [heartbeatIn(region)],
  verifyRestore: [heartbeatIn('us-east-1')],
  promoteRestore: [heartbeatIn('us-east-1')],
  // Of replication that failed, and of an object there that differs.
  assessRecovery: [
    ...requestsOfCall('S3Client', 'GetObject', trained),
    ...[
      'PutObject',
      'CreateMultipartUpload',
      'UploadPart',
      'CompleteMultipartUpload',
      'AbortMultipartUpload',
    ].flatMap((command) =>
      requestsOfCall('S3Client', command, replicated).map((request) => inRegion(request, 'us-east-1')),
    ),
    ...onTable('PutItem', 'RECOVERY#repair'),
    ...requestsOfCall('S3ControlClient', 'CreateJob', { RoleArn: resources.role('replication-repair') }),
    ...requestsOfCall('S3ControlClient', 'DescribeJob', { JobId: '1' }),
    ...requestsOfCall('SQSClient', 'DeleteMessageBatch', {}),
  ],
  // Of a tenant with more models and runs than one night trains, whose outputs nothing names for weeks.
  pruneRecords: [
    ...['TENANT#acme', 'RUN#acme-2026-11-24', 'DATE#2026-11-24', 'NIGHT#night-1'].flatMap((partition) =>
      onTable('DeleteItem', partition),
    ),
    ...onTable('ConditionCheckItem', 'TENANT#acme'),
    ...onTable('PutItem', 'RETIRED'),
  ],
  removeRetired: [
    ...onTable('DeleteItem', 'RETIRED'),
    ...onTable('UpdateItem', 'RETIRED'),
    ...onTable('GetItem', 'TENANT#acme'),
    ...onTable('Query', 'TENANT#acme'),
    ...[resources.bucket, resources.replicaBucket].flatMap((Bucket) => [
      ...requestsOfCall('S3Client', 'ListObjectsV2', { Bucket, Prefix: 'acme/runs/acme-2026-11-24/' }),
      ...requestsOfCall('S3Client', 'DeleteObject', {
        Bucket,
        Key: 'acme/runs/acme-2026-11-24/train/1/model.bin',
      }),
    ]),
  ],
  // Of a check that made no verdict.
  beginRun: requestsOfCall('SFNClient', 'DescribeExecution', {
    executionArn: names.executionArn('data-quality-check/for-0'),
  }),
  decideCapacity: [
    ...requestsOfCall('S3Client', 'GetObject', capacityOverride),
    missingObject(capacityOverride),
  ],
  // Scenarios have no cluster.
  applyCapacity: [
    ...setsGroups,
    ...['GetObject', 'PutObject'].flatMap((command) => requestsOfCall('S3Client', command, record)),
    missingObject(record),
  ],
  expireCapacity: [
    ...setsGroups,
    ...setsQueues,
    ...requestsOfCall('S3Client', 'GetObject', record),
    missingObject(record),
  ],
  prewarmNight: [
    ...setsQueues,
    ...['GetObject', 'PutObject'].flatMap((command) => requestsOfCall('S3Client', command, record)),
    missingObject(record),
  ],
  alignFixedNames: [
    ...['CreateMultipartUpload', 'UploadPartCopy', 'CompleteMultipartUpload', 'AbortMultipartUpload'].flatMap(
      (command) => requestsOfCall('S3Client', command, copy),
    ),
    ...requestsOfCall('S3Client', 'DeleteObject', part),
  ],
};

/** What Lambda does in the name of a function's role: logs, traces, environment, and what the function could not do. */
export function platformRequests(place: Place, key: string): AwsRequest[] {
  const ids = functionIds(key);
  const { Properties: properties } = place.template.Resources[ids.lambda] ?? {};
  if (!properties) throw new Error(`The template has no function ${key}.`);
  const resolver = new Resolver(place);
  const name = String(properties['FunctionName']);
  const stream = resolver.arn(ids.logGroup).replace(/\*$/, 'log-stream:2026/11/24/[1]x');
  const functionArn = arnOf('lambda', `function:${name}`);
  const queue = ofType(place.template, 'AWS::Lambda::EventInvokeConfig').find(([, { Properties: config }]) =>
    JSON.stringify(config['FunctionName']).includes(ids.lambda),
  );
  const destination = at(queue?.[1].Properties, 'DestinationConfig', 'OnFailure', 'Destination');
  return [
    ask('logs:CreateLogStream', resolver.arn(ids.logGroup).replace(/:\*$/, ':log-stream:x')),
    ask('logs:PutLogEvents', stream),
    ask('xray:PutTraceSegments', '*'),
    ask('xray:PutTelemetryRecords', '*'),
    throughService('Decrypt', resources.dataKey, 'lambda', { 'aws:lambda:FunctionArn': functionArn }),
    ...(destination === undefined ? [] : [ask('sqs:SendMessage', String(resolver.resolve(destination)))]),
    ...(properties['VpcConfig'] === undefined ? [] : networkRequests(key)),
  ];
}

/** Lambda's own interfaces in the network, and the one call that a function makes before it talks to the cluster. */
function networkRequests(key: string): AwsRequest[] {
  const eni = arnOf('ec2', 'network-interface/eni-1');
  return [
    ask('ec2:CreateNetworkInterface', eni),
    ask('ec2:CreateNetworkInterface', arnOf('ec2', 'subnet/subnet-1')),
    ask('ec2:CreateNetworkInterface', arnOf('ec2', 'security-group/sg-1')),
    ask('ec2:DeleteNetworkInterface', eni),
    ask('ec2:DescribeNetworkInterfaces', '*'),
    ask('ec2:DescribeSubnets', '*'),
    // These reach the network alone, for the cache and the database.
    ...(key === 'fillCache' || key === 'beatStores'
      ? []
      : requestsOfCall('EKSClient', 'DescribeCluster', { name: resources.cluster })),
  ];
}
