import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { missingCompanions } from '../../../infra/pulumi/policy/companions.ts';
import { inspect, rules } from '../../../infra/pulumi/policy/rules.ts';
import type { Seen } from '../../../infra/pulumi/policy/statements.ts';

const digest = `sha256:${'a'.repeat(64)}`;
let seen: Seen[] = [];

beforeAll(async () => {
  const images = { 'data-pipeline': digest, 'ml-engine': digest, deployer: digest };
  const resources = await evaluate({ ...settingsOf('prod'), imageDigests: images });
  seen = resources.map(({ type, name, inputs }) => ({ type, name, props: inputs }));
});

describe('policy rules on the production program', () => {
  it('finds no fault, having looked at something with every rule', () => {
    // Act
    const results = seen.map(inspect);

    // Assess
    expect(results.flatMap(({ faults }) => faults)).toEqual([]);
    const idle = rules.filter(({ types }) => !seen.some(({ type }) => types.includes(type)));
    expect(idle.map(({ name }) => name)).toEqual([]);
    expect(results.reduce((sum, { looked }) => sum + looked, 0)).toBeGreaterThan(80);
  });

  it('gives every bucket its guards, and notices when one is taken away', () => {
    const without = seen.filter(
      ({ type, name }) => !(type.endsWith(':BucketPublicAccessBlock') && name === 'embeddings-saas-data'),
    );
    expect(missingCompanions(seen)).toEqual([]);
    expect(missingCompanions(without)).toEqual(['embeddings-saas-data has no BucketPublicAccessBlock']);
    const unlogged = seen.filter(({ type }) => !type.endsWith(':BucketLogging'));
    expect(missingCompanions(unlogged)).toEqual([
      'embeddings-saas-data has no BucketLogging',
      'embeddings-saas-data-replica has no BucketLogging',
    ]);
  });
});

const statement = (body: object) => JSON.stringify({ Version: '2012-10-17', Statement: [body] });
const spoiled: [rule: string, type: string, change: Record<string, unknown>][] = [
  ['database-safe', 'rds/instance:Instance', { publiclyAccessible: true }],
  ['database-safe', 'rds/instance:Instance', { backupRetentionPeriod: 0 }],
  ['database-safe', 'rds/instance:Instance', { password: 'literal' }],
  ['cache-safe', 'elasticache/replicationGroup:ReplicationGroup', { transitEncryptionEnabled: false }],
  ['bucket-not-public', 's3/bucketPublicAccessBlock:BucketPublicAccessBlock', { blockPublicPolicy: false }],
  [
    'bucket-versioned',
    's3/bucketVersioning:BucketVersioning',
    { versioningConfiguration: { status: 'Suspended' } },
  ],
  ['instances-tagged', 'ec2/launchTemplate:LaunchTemplate', { tagSpecifications: [] }],
  ['nodes-stay-in-the-night', 'autoscaling/group:Group', { capacityRebalance: true }],
  ['bucket-kept', 's3/bucket:Bucket', { forceDestroy: true }],
  [
    'bucket-encrypted',
    's3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
    { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
  ],
  [
    'bucket-tidies-up',
    's3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
    { rules: [{ id: 'logs-expire', expiration: { days: 365 } }] },
  ],
  [
    'objects-leave-the-region',
    's3/bucketReplicationConfig:BucketReplicationConfig',
    { rules: [{ status: 'Disabled' }] },
  ],
  ['database-safe', 'rds/instance:Instance', { enabledCloudwatchLogsExports: ['upgrade'] }],
  [
    'database-tls-only',
    'rds/parameterGroup:ParameterGroup',
    { parameters: [{ name: 'rds.force_ssl', value: '0' }] },
  ],
  [
    'key-closed',
    'kms/key:Key',
    { policy: statement({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:Decrypt', Resource: '*' }) },
  ],
  ['key-rotates', 'kms/key:Key', { enableKeyRotation: false }],
  [
    'backups-leave-the-region',
    'rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication',
    { kmsKeyId: undefined },
  ],
  [
    'secret-rotates',
    'secretsmanager/secretRotation:SecretRotation',
    { rotationRules: { automaticallyAfterDays: 365 } },
  ],
  ['node-group-uses-template', 'eks/nodeGroup:NodeGroup', { remoteAccess: { ec2SshKey: 'mine' } }],
  ['secret-has-own-key', 'secretsmanager/secret:Secret', { kmsKeyId: undefined }],
  ['topic-encrypted', 'sns/topic:Topic', { kmsMasterKeyId: undefined }],
  ['logs-kept-and-encrypted', 'cloudwatch/logGroup:LogGroup', { retentionInDays: 7 }],
  [
    'cluster-safe',
    'eks/cluster:Cluster',
    { vpcConfig: { endpointPrivateAccess: true, publicAccessCidrs: ['0.0.0.0/0'] } },
  ],
  ['cluster-safe', 'eks/cluster:Cluster', { version: '1.28' }],
  ['cluster-safe', 'eks/cluster:Cluster', { enabledClusterLogTypes: ['api'] }],
  ['cluster-safe', 'eks/cluster:Cluster', { encryptionConfig: undefined }],
  [
    'instances-guard-metadata',
    'ec2/launchTemplate:LaunchTemplate',
    { metadataOptions: { httpTokens: 'optional' } },
  ],
  ['images-fixed-and-scanned', 'ecr/repository:Repository', { imageTagMutability: 'MUTABLE' }],
  ['subnet-gives-no-public-address', 'ec2/subnet:Subnet', { mapPublicIpOnLaunch: true }],
  [
    'nothing-enters-from-the-world',
    'vpc/securityGroupIngressRule:SecurityGroupIngressRule',
    { cidrIpv4: '0.0.0.0/0' },
  ],
  [
    'job-unprivileged-and-pinned',
    'batch/jobDefinition:JobDefinition',
    { containerProperties: '{"image":"x:latest"}' },
  ],
  [
    'no-wildcard-permission',
    'iam/rolePolicy:RolePolicy',
    { policy: statement({ Effect: 'Allow', Action: 's3:*', Resource: 'a' }) },
  ],
  [
    'no-wildcard-permission',
    'iam/rolePolicy:RolePolicy',
    { policy: statement({ Effect: 'Allow', Action: 'iam:PassRole', Resource: '*' }) },
  ],
  [
    'trust-is-narrow',
    'iam/role:Role',
    { assumeRolePolicy: statement({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }) },
  ],
  [
    'trust-is-narrow',
    'iam/role:Role',
    {
      assumeRolePolicy: statement({
        Effect: 'Allow',
        Principal: { Federated: 'arn' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' },
          StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:yourorg/*' },
        },
      }),
    },
  ],
  [
    'managed-policies-listed',
    'iam/rolePolicyAttachment:RolePolicyAttachment',
    { policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
  ],
  [
    'bucket-tls-only',
    's3/bucketPolicy:BucketPolicy',
    { policy: statement({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'a' }) },
  ],
  [
    'topic-tls-only',
    'sns/topicPolicy:TopicPolicy',
    {
      policy: statement({
        Effect: 'Allow',
        Principal: { Service: 'x' },
        Action: 'sns:Publish',
        Resource: 'a',
      }),
    },
  ],
];

describe('policy rules on spoiled resources', () => {
  it('spoil every rule at least once', () => {
    const spoilt = new Set(spoiled.map(([rule]) => rule));
    expect(rules.map(({ name }) => name).filter((name) => !spoilt.has(name))).toEqual([]);
  });

  it.each(spoiled)('%s refuses a spoiled %s %#', (rule, type, change) => {
    // Prepare
    const good = seen.find((resource) => resource.type === `aws:${type}`);

    // Act
    const { faults } = inspect({
      type: `aws:${type}`,
      name: 'spoiled',
      props: { ...good?.props, ...change },
    });

    // Assess
    expect(good).toBeDefined();
    expect(faults.map((fault) => fault.split(':')[0])).toContain(rule);
  });
});
