import { supportedKubernetes } from '../../../lib/config/infrastructure-rules.ts';
import { identityRules } from './identity-rules.ts';
import type { Rule } from './rule.ts';
import { at, type Seen } from './statements.ts';

/** A rule of the form "these properties have these values". */
function requires(
  name: string,
  type: string,
  wanted: Readonly<Record<string, (value: unknown) => boolean>>,
): Rule {
  return {
    name,
    description: `${type} must have ${Object.keys(wanted).join(', ')} set safely`,
    types: [`aws:${type}`],
    check: ({ props }) =>
      Object.entries(wanted)
        .filter(([path, holds]) => !holds(at(props, path)))
        .map(([path]) => `${path} is ${JSON.stringify(at(props, path)) ?? 'not set'}`),
  };
}

const is =
  (...wanted: unknown[]) =>
  (value: unknown) =>
    wanted.includes(value);
const isSet = (value: unknown) => value !== undefined && value !== null && value !== '';
const absent = (value: unknown) => value === undefined || value === null;
const within = (low: number, high: number) => (value: unknown) =>
  typeof value === 'number' && value >= low && value <= high;
const narrow = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((cidr) => Number(String(cidr).split('/')[1]) >= 16);
const allLogs = (value: unknown) =>
  ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'].every((log) =>
    (value as string[] | undefined)?.includes(log),
  );

const dataRules: readonly Rule[] = [
  requires('database-safe', 'rds/instance:Instance', {
    storageEncrypted: is(true),
    kmsKeyId: isSet,
    publiclyAccessible: is(false),
    multiAz: is(true),
    backupRetentionPeriod: within(1, 35),
    deletionProtection: is(true),
    skipFinalSnapshot: is(false),
    iamDatabaseAuthenticationEnabled: is(true),
    autoMinorVersionUpgrade: is(true),
    manageMasterUserPassword: is(true),
    password: absent,
    copyTagsToSnapshot: is(true),
    monitoringInterval: within(1, 60),
    enabledCloudwatchLogsExports: (value) => Array.isArray(value) && value.includes('postgresql'),
    performanceInsightsKmsKeyId: isSet,
  }),
  {
    name: 'database-tls-only',
    description: 'the database refuses connections without TLS',
    types: ['aws:rds/parameterGroup:ParameterGroup'],
    check: ({ props }) => {
      const all = (at(props, 'parameters') ?? []) as unknown[];
      const forced = all.some((one) => at(one, 'name') === 'rds.force_ssl' && at(one, 'value') === '1');
      return forced ? [] : ['accepts connections without TLS'];
    },
  },
  requires(
    'backups-leave-the-region',
    'rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication',
    {
      kmsKeyId: isSet,
      retentionPeriod: within(1, 35),
    },
  ),
  requires('cache-safe', 'elasticache/replicationGroup:ReplicationGroup', {
    atRestEncryptionEnabled: is(true),
    transitEncryptionEnabled: is(true),
    transitEncryptionMode: is('required'),
    kmsKeyId: isSet,
    authToken: isSet,
    snapshotRetentionLimit: within(1, 35),
  }),
  requires('bucket-not-public', 's3/bucketPublicAccessBlock:BucketPublicAccessBlock', {
    blockPublicAcls: is(true),
    blockPublicPolicy: is(true),
    ignorePublicAcls: is(true),
    restrictPublicBuckets: is(true),
  }),
  requires('bucket-versioned', 's3/bucketVersioning:BucketVersioning', {
    'versioningConfiguration.status': is('Enabled'),
  }),
  {
    name: 'bucket-encrypted',
    description:
      'buckets are encrypted with a customer key; those of access logs, as S3 demands, with S3 keys',
    types: ['aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration'],
    check: ({ name, props }) => {
      const rule = at(props, 'rules.0.applyServerSideEncryptionByDefault');
      const [algorithm, key] = [at(rule, 'sseAlgorithm'), at(rule, 'kmsMasterKeyId')];
      if (name.endsWith('-logs')) return algorithm === undefined ? ['is not encrypted'] : [];
      return algorithm === 'aws:kms' && isSet(key) ? [] : ['has no customer key'];
    },
  },
  {
    name: 'bucket-tidies-up',
    description: 'uploads that were never finished are removed',
    types: ['aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration'],
    check: ({ props }) => {
      const all = (at(props, 'rules') ?? []) as unknown[];
      const tidy = all.some((rule) => isSet(at(rule, 'abortIncompleteMultipartUpload.daysAfterInitiation')));
      return tidy ? [] : ['keeps unfinished uploads for ever'];
    },
  },
  requires('objects-leave-the-region', 's3/bucketReplicationConfig:BucketReplicationConfig', {
    'rules.0.status': is('Enabled'),
    'rules.0.destination.encryptionConfiguration.replicaKmsKeyId': isSet,
    'rules.0.destination.replicationTime.status': is('Enabled'),
    'rules.0.destination.metrics.status': is('Enabled'),
  }),
  requires('bucket-kept', 's3/bucket:Bucket', { forceDestroy: is(false) }),
  requires('key-rotates', 'kms/key:Key', {
    enableKeyRotation: is(true),
    deletionWindowInDays: within(30, 30),
  }),
  requires('secret-has-own-key', 'secretsmanager/secret:Secret', { kmsKeyId: isSet }),
  requires('secret-rotates', 'secretsmanager/secretRotation:SecretRotation', {
    'rotationRules.automaticallyAfterDays': within(1, 90),
  }),
  requires('topic-encrypted', 'sns/topic:Topic', { kmsMasterKeyId: isSet }),
  requires('logs-kept-and-encrypted', 'cloudwatch/logGroup:LogGroup', {
    kmsKeyId: isSet,
    retentionInDays: within(365, 3653),
  }),
];

const computeRules: readonly Rule[] = [
  requires('cluster-safe', 'eks/cluster:Cluster', {
    'vpcConfig.endpointPrivateAccess': is(true),
    'vpcConfig.publicAccessCidrs': narrow,
    enabledClusterLogTypes: allLogs,
    'encryptionConfig.provider.keyArn': isSet,
    version: (value) => String(value) in supportedKubernetes,
    'accessConfig.authenticationMode': is('API'),
    'accessConfig.bootstrapClusterCreatorAdminPermissions': is(false),
  }),
  requires('instances-guard-metadata', 'ec2/launchTemplate:LaunchTemplate', {
    'metadataOptions.httpTokens': is('required'),
    'metadataOptions.httpPutResponseHopLimit': is(1),
    'blockDeviceMappings.0.ebs.encrypted': is('true'),
  }),
  {
    name: 'instances-tagged',
    description: 'instances and their disks carry the tag that the budget counts by',
    types: ['aws:ec2/launchTemplate:LaunchTemplate'],
    check: ({ props }) => {
      const all = (at(props, 'tagSpecifications') ?? []) as { resourceType?: string; tags?: object }[];
      return ['instance', 'volume']
        .filter((kind) =>
          all.every(
            ({ resourceType, tags = {} }) => resourceType !== kind || !('epsilon:environment' in tags),
          ),
        )
        .map((kind) => `gives no epsilon:environment to its ${kind}`);
    },
  },
  requires('nodes-stay-in-the-night', 'autoscaling/group:Group', {
    capacityRebalance: is(false),
    'suspendedProcesses.0': is('AZRebalance'),
    instanceRefresh: absent,
  }),
  requires('node-group-uses-template', 'eks/nodeGroup:NodeGroup', {
    'launchTemplate.id': isSet,
    remoteAccess: absent,
  }),
  requires('images-fixed-and-scanned', 'ecr/repository:Repository', {
    imageTagMutability: is('IMMUTABLE'),
    'imageScanningConfiguration.scanOnPush': is(true),
    'encryptionConfigurations.0.encryptionType': is('KMS'),
  }),
  requires('subnet-gives-no-public-address', 'ec2/subnet:Subnet', { mapPublicIpOnLaunch: is(false) }),
  requires('nothing-enters-from-the-world', 'vpc/securityGroupIngressRule:SecurityGroupIngressRule', {
    cidrIpv4: (value) => absent(value) || (isSet(value) && String(value) !== '0.0.0.0/0'),
    cidrIpv6: absent,
  }),
  {
    name: 'job-unprivileged-and-pinned',
    description: 'Batch jobs run unprivileged, read-only, by digest, one attempt, with a time limit',
    types: ['aws:batch/jobDefinition:JobDefinition'],
    check: ({ props }) => {
      const container = JSON.parse(String(props['containerProperties'] ?? '{}')) as Record<string, unknown>;
      const faults: [boolean, string][] = [
        [container['privileged'] !== false, 'privileged is not false'],
        [container['readonlyRootFilesystem'] !== true, 'the root file system is writable'],
        [!isSet(container['user']) || /^(0|root)(:|$)/.test(String(container['user'])), 'runs as root'],
        [!/@sha256:[0-9a-f]{64}$/.test(String(container['image'])), 'the image is not pinned by digest'],
        [at(props, 'retryStrategy.attempts') !== 1, 'Batch would retry by itself'],
        [!isSet(at(props, 'timeout.attemptDurationSeconds')), 'there is no time limit'],
      ];
      return faults.filter(([broken]) => broken).map(([, message]) => message);
    },
  },
];

/** Every rule; the policy pack enforces them at preview, the tests on the mocked program. */
export const rules: readonly Rule[] = [...dataRules, ...computeRules, ...identityRules];

/** Faults of one resource, as `<rule>: <resource> <fault>`, and how many rules looked at it. */
export function inspect(resource: Seen): { readonly looked: number; readonly faults: readonly string[] } {
  const applying = rules.filter(({ types }) => types.includes(resource.type));
  return {
    looked: applying.length,
    faults: applying.flatMap((rule) =>
      rule.check(resource).map((fault) => `${rule.name}: ${resource.name} ${fault}`),
    ),
  };
}
