import type { Repository } from '@pulumi/aws/ecr/repository.js';
import { OpenIdConnectProvider } from '@pulumi/aws/iam/openIdConnectProvider.js';
import { Secret } from '@pulumi/aws/secretsmanager/secret.js';
import { type Input, interpolate, type Output } from '@pulumi/pulumi';
import { createIdentity } from '../identity.ts';
import type { Keys } from '../keys.ts';
import type { Site, Statement } from '../site.ts';

const issuer = 'token.actions.githubusercontent.com';

/** Seconds that a job of a release has its role: `role-duration-seconds` of the workflow. */
const releaseSeconds = 14_400;

/** What GitHub's roles are made beside. */
export interface GithubPlace {
  readonly keys: Keys;
  readonly repositories: readonly Repository[];
  readonly clusterArn: Output<string>;
  /** The role with which CloudFormation deploys. */
  readonly deployRoleArn: Output<string>;
}

/** ARNs of the roles that jobs of GitHub take; each belongs into the variable of a workflow that docs/deploy.md names. */
export interface GithubRoles {
  readonly release: Output<string>;
  readonly control: Output<string>;
  readonly preview: Output<string>;
}

/** Trust of jobs of this repository in these GitHub environments, and of nothing else. */
function trustJobs(
  site: Site,
  provider: OpenIdConnectProvider,
  environments: readonly string[],
): Statement[] {
  return environments.map((environment) => ({
    Effect: 'Allow',
    Principal: { Federated: provider.arn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringEquals: {
        [`${issuer}:aud`]: 'sts.amazonaws.com',
        [`${issuer}:sub`]: `repo:${site.config.github.repository}:environment:${environment}`,
      },
    },
  }));
}

const allow = (
  Action: string | readonly string[],
  Resource: Input<string> | readonly Input<string>[],
  Condition?: Statement['Condition'],
): Statement => ({ Effect: 'Allow', Action, Resource, ...(Condition && { Condition }) });

/** Pushes images and asks the registry about them. */
function imageStatements(repositories: readonly Repository[]): Statement[] {
  return [
    // This call has no resource.
    allow('ecr:GetAuthorizationToken', '*'),
    allow(
      [
        'ecr:BatchCheckLayerAvailability',
        'ecr:BatchGetImage',
        'ecr:CompleteLayerUpload',
        'ecr:DescribeImages',
        'ecr:GetDownloadUrlForLayer',
        'ecr:InitiateLayerUpload',
        'ecr:PutImage',
        'ecr:UploadLayerPart',
      ],
      repositories.map(({ arn }) => arn),
    ),
  ];
}

/** Has CloudFormation deploy the service, with a role of its own; what the service is made of, this role cannot touch. */
function deployStatements(site: Site, deployRoleArn: Output<string>): Statement[] {
  const { environment, region } = site.config;
  const own = `epsilon-${environment}`;
  const bucket = `arn:aws:s3:::${own}-serverlessdeployment*`;
  return [
    allow('cloudformation:ValidateTemplate', '*'),
    allow(
      [
        ...[
          'CancelUpdateStack',
          'CreateChangeSet',
          'DeleteChangeSet',
          'DescribeChangeSet',
          'DescribeStackEvents',
        ],
        ...[
          'DescribeStackResource',
          'DescribeStackResources',
          'DescribeStacks',
          'ExecuteChangeSet',
          'GetTemplate',
        ],
        ...['ListStackResources', 'SetStackPolicy', 'TagResource', 'UpdateStack', 'CreateStack'],
      ].map((action) => `cloudformation:${action}`),
      interpolate`arn:aws:cloudformation:${region}:${site.accountId}:stack/${own}/*`,
    ),
    allow('iam:PassRole', deployRoleArn, {
      StringEquals: { 'iam:PassedToService': 'cloudformation.amazonaws.com' },
    }),
    allow(['s3:GetBucketLocation', 's3:GetBucketVersioning', 's3:ListBucket'], bucket),
    allow(['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], `${bucket}/*`),
    // What changed since the last deploy is seen by the functions' digests.
    allow(
      ['lambda:GetFunction', 'lambda:ListVersionsByFunction'],
      interpolate`arn:aws:lambda:${region}:${site.accountId}:function:${own}-*`,
    ),
  ];
}

function releaseStatements(site: Site, place: GithubPlace, appKey: Secret): Statement[] {
  const { environment, region } = site.config;
  return [
    ...imageStatements(place.repositories),
    allow(
      ['ssm:GetParameter', 'ssm:GetParameters', 'ssm:GetParametersByPath'],
      interpolate`arn:aws:ssm:${region}:${site.accountId}:parameter/epsilon/${environment}/*`,
    ),
    allow('eks:DescribeCluster', place.clusterArn),
    // The key of the GitHub App that moves the refs release/*.
    allow('secretsmanager:GetSecretValue', appKey.arn),
    allow('kms:Decrypt', place.keys.data.arn, {
      StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
    }),
    ...deployStatements(site, place.deployRoleArn),
  ];
}

/** Begins releases and answers their acts: records of releases, the audit log, and the machine of releases alone. */
function controlStatements(site: Site, keys: Keys): Statement[] {
  const { environment, region } = site.config;
  const here = interpolate`${region}:${site.accountId}`;
  const table = interpolate`arn:aws:dynamodb:${here}:table/epsilon-${environment}`;
  const partitions = (...names: string[]) => ({
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': names },
  });
  const machine = interpolate`arn:aws:states:${here}:stateMachine:epsilon-${environment}-release`;
  return [
    allow('ssm:GetParameters', interpolate`arn:aws:ssm:${here}:parameter/epsilon/${environment}/*`),
    // Whether the canary is there, and the keys under which task tokens are sealed.
    allow(['dynamodb:GetItem', 'dynamodb:Query'], table, partitions('RELEASES', 'TENANT#*', 'TOKENKEY#*')),
    allow('dynamodb:PutItem', table, partitions('RELEASES', 'AUDIT#*')),
    allow('kms:Decrypt', keys.data.arn, {
      StringEquals: { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` },
    }),
    // The key is made with the service, and known by its name here.
    allow('kms:Decrypt', interpolate`arn:aws:kms:${here}:key/*`, {
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': `alias/epsilon-${environment}-task-tokens` },
      StringEquals: { 'kms:EncryptionContext:epsilon:purpose': 'task-token' },
    }),
    allow('states:StartExecution', [machine, interpolate`${machine}:live`]),
    allow(
      'states:DescribeExecution',
      interpolate`arn:aws:states:${here}:execution:epsilon-${environment}-release:*`,
    ),
    // A token is all that an answer names.
    allow(['states:SendTaskFailure', 'states:SendTaskHeartbeat', 'states:SendTaskSuccess'], '*'),
  ];
}

/** Reads what `pulumi preview` reads: the state, with its secrets, which the state's own key opens. Looks at nothing else in the account. */
function previewStatements(site: Site): Statement[] {
  const { environment, region } = site.config;
  const bucket = interpolate`arn:aws:s3:::epsilon-${environment}-state-${site.accountId}`;
  return [
    allow('s3:ListBucket', bucket),
    allow('s3:GetObject', interpolate`${bucket}/*`),
    allow('kms:Decrypt', interpolate`arn:aws:kms:${region}:${site.accountId}:key/*`, {
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': `alias/epsilon-${environment}-state` },
    }),
  ];
}

/**
 * Creates GitHub's identity provider and the roles of its jobs, each for one repository and the GitHub environments that need it exactly. The
 * role that provisions is made by hand, because it makes all others (docs/provision.md).
 */
export function createGithubRoles(site: Site, place: GithubPlace): GithubRoles {
  const { environment } = site.config;
  const provider = new OpenIdConnectProvider(
    site.name('github'),
    { url: `https://${issuer}`, clientIdLists: ['sts.amazonaws.com'] },
    site.here,
  );
  const appKey = new Secret(
    site.name('release-app-key'),
    {
      name: `epsilon/${environment}/release-app-key`,
      description: 'private key of the GitHub App that moves release/**; put there by hand',
      kmsKeyId: place.keys.data.arn,
      recoveryWindowInDays: 7,
    },
    site.here,
  );
  const role = (
    part: string,
    environments: readonly string[],
    allowed: Statement[],
    sessionSeconds = 3_600,
  ) =>
    createIdentity(site, part, {
      trust: trustJobs(site, provider, environments),
      allow: allowed,
      sessionSeconds,
    }).arn;
  return {
    release: role('github-release', [environment], releaseStatements(site, place, appKey), releaseSeconds),
    // Production's control plane decides releases; jobs of staging answer it, too.
    control: role(
      'github-control',
      environment === 'prod' ? ['staging', 'prod'] : [environment],
      controlStatements(site, place.keys),
      releaseSeconds,
    ),
    preview: role('github-preview', ['preview'], previewStatements(site)),
  };
}
