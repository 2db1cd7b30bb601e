import { Policy } from '@pulumi/aws/iam/policy.js';
import { type Input, interpolate, type Output, output } from '@pulumi/pulumi';
import { createIdentity, document, trustService } from '../identity.ts';
import type { Site, Statement } from '../site.ts';
import { boundedRoleActions, deployRights, roleActions } from './deploy-rights.ts';

/** What the service is deployed beside. */
export interface DeployPlace {
  readonly clusterName: Output<string>;
  readonly buckets: readonly Input<string>[];
  /** Keys of data and logs, in both regions. */
  readonly keyArns: readonly Input<string>[];
}

/** Services that roles of the deployed service are given to. */
const takers = ['lambda', 'states', 'events', 'scheduler'].map((name) => `${name}.amazonaws.com`);

const allow = (action: readonly string[], resource: readonly Input<string>[]): Statement => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
});

/** Calls of functions and machines that have no resource, or one whose name AWS chooses. */
const withoutNames = [
  ...['batch:Describe*', 'batch:List*', 'ce:GetCostAndUsage', 'cloudwatch:GetMetricData'],
  ...[
    'ec2:*NetworkInterface*',
    'ec2:*PrivateIpAddresses',
    'ec2:DescribeSubnets',
    'ecs:Describe*',
    'ecs:List*',
  ],
  ...['logs:*LogDeliver*', 'logs:Describe*', 'logs:PutResourcePolicy', 'rds:Describe*', 'states:SendTask*'],
  ...['s3:CreateJob', 's3:DescribeJob'],
  'xray:*',
];

type ArnOf = (service: string, rest: Input<string>) => Output<string>;

/** What has to do with jobs, and with databases that are restored. */
function jobStatements(arn: ArnOf, clusterName: Output<string>, environment: string): Statement[] {
  return [
    allow(
      [
        'batch:RegisterJobDefinition',
        'batch:SubmitJob',
        'batch:TagResource',
        'batch:TerminateJob',
        'batch:UpdateComputeEnvironment',
      ],
      [arn('batch', '*')],
    ),
    allow(
      ['ecr:BatchGetImage', 'ecr:DescribeImages', 'ecr:GetDownloadUrlForLayer'],
      [arn('ecr', 'repository/*')],
    ),
    allow(
      ['eks:DescribeCluster', 'eks:DescribeNodegroup', 'eks:UpdateNodegroupConfig'],
      [arn('eks', interpolate`cluster/${clusterName}`), arn('eks', interpolate`nodegroup/${clusterName}/*`)],
    ),
    allow(
      [
        'rds:*Snapshot',
        'rds:AddTagsToResource',
        'rds:DeleteDBInstance',
        'rds:RestoreDBInstanceToPointInTime',
      ],
      [arn('rds', '*')],
    ),
    allow(
      ['secretsmanager:CreateSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:TagResource'],
      [arn('secretsmanager', `secret:epsilon/${environment}/redis-*`), arn('secretsmanager', 'secret:rds!*')],
    ),
  ];
}

/**
 * The most that any role of the deployed service may do, whatever a commit gives it: it makes no identity, opens no other environment's
 * stores and no bucket but the data's, and reads no secret but the environment's. A role may do what its own policies and this both allow.
 */
function boundaryStatements(site: Site, { buckets, clusterName }: DeployPlace): Statement[] {
  const { environment } = site.config;
  const own = `epsilon-${environment}`;
  const arn: ArnOf = (service, rest) => interpolate`arn:aws:${service}:*:${site.accountId}:${rest}`;
  const role = (rest: string) => interpolate`arn:aws:iam::${site.accountId}:role/${rest}`;
  return [
    allow(withoutNames, ['*']),
    allow(
      ['dynamodb:*'],
      [arn('dynamodb', `table/${own}`), arn('dynamodb', `table/${own}-*`), arn('dynamodb', `table/${own}/*`)],
    ),
    allow(
      ['s3:*Object*', 's3:*MultipartUpload*', 's3:ListBucket', 's3:GetBucketVersioning'],
      buckets.flatMap((bucket) => [
        interpolate`arn:aws:s3:::${bucket}`,
        interpolate`arn:aws:s3:::${bucket}/*`,
      ]),
    ),
    allow(['states:*'], [arn('states', `*:${own}-*`)]),
    allow(['lambda:InvokeFunction'], [arn('lambda', `function:${own}-*`)]),
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [arn('logs', `log-group:*${own}-*`)]),
    allow(
      ['sqs:DeleteMessage', 'sqs:GetQueueUrl', 'sqs:ReceiveMessage', 'sqs:SendMessage'],
      [arn('sqs', `${own}-*`)],
    ),
    allow(['sns:Publish'], [arn('sns', `${own}-*`)]),
    allow(
      ['events:PutEvents', 'events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      [arn('events', `event-bus/${own}`), arn('events', 'rule/StepFunctionsGetEvents*')],
    ),
    allow(
      ['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
      [arn('kms', 'key/*')],
    ),
    ...jobStatements(arn, clusterName, environment),
    allow(['rds-db:connect'], [arn('rds-db', 'dbuser:*/epsilon_heartbeat')]),
    allow(['sts:AssumeRole', 'sts:TagSession'], [role(`${own}-tenant-job`)]),
    allow(
      ['iam:PassRole'],
      [role(`${own}-job-batch`), role(`${own}-batch-execution`), role(`${own}-replication-repair`)],
    ),
    allow(['airflow:InvokeRestApi'], [arn('airflow', 'role/*')]),
  ];
}

/** Where roles of the deployed service are, apart from those of infrastructure (infra/serverless/plugin/roles.ts). */
export const servicePath = (environment: string) => `/epsilon/${environment}/`;

function deployStatements(
  site: Site,
  { clusterName, keyArns }: DeployPlace,
  boundaryArn: Output<string>,
): Statement[] {
  const { environment, region } = site.config;
  const filled = (pattern: string) =>
    output([site.accountId, clusterName]).apply(([account = '', cluster = '']) =>
      pattern
        .replaceAll('<place>', `${region}:${account}`)
        .replaceAll('<region>', region)
        .replaceAll('<account>', account)
        .replaceAll('<cluster>', cluster)
        .replaceAll('<env>', environment),
    );
  const roles = interpolate`arn:aws:iam::${site.accountId}:role${servicePath(environment)}*`;
  return [
    ...deployRights.map(({ actions, on, ofStack }) => ({
      ...allow(actions, on.map(filled)),
      ...(ofStack && {
        Condition: {
          StringEquals: { 'aws:ResourceTag/aws:cloudformation:stack-name': `epsilon-${environment}` },
        },
      }),
    })),
    allow(
      ['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
      keyArns,
    ),
    {
      ...allow(boundedRoleActions, [roles]),
      Condition: { StringEquals: { 'iam:PermissionsBoundary': boundaryArn } },
    },
    allow(roleActions, [roles]),
    { ...allow(['iam:PassRole'], [roles]), Condition: { StringEquals: { 'iam:PassedToService': takers } } },
  ];
}

/**
 * Creates the boundary of the service's roles and the role with which CloudFormation deploys the service. It can give a role no more than
 * the boundary, and touches no role of infrastructure. Returns its ARN.
 */
export function createDeployRole(site: Site, place: DeployPlace): Output<string> {
  const name = site.name('service-boundary');
  const boundary = new Policy(
    name,
    {
      name,
      description: `the most that roles of the deployed service of ${site.config.environment} may do`,
      policy: document(boundaryStatements(site, place)),
    },
    site.here,
  );
  return createIdentity(site, 'deploy', {
    trust: [trustService(site, 'cloudformation.amazonaws.com')],
    allow: deployStatements(site, place, boundary.arn),
  }).arn;
}
