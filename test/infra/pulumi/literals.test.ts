import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { at } from '../../../infra/pulumi/policy/statements.ts';

let resources: Registered[] = [];

beforeAll(async () => {
  resources = await evaluate(settingsOf('prod'));
});

function find(type: string, where: Readonly<Record<string, unknown>>): Registered | undefined {
  return resources.find(
    (resource) =>
      resource.type === `aws:${type}` &&
      Object.entries(where).every(([path, value]) => at(resource.inputs, path) === value),
  );
}

const cluster = ['eks/cluster:Cluster', { name: 'embeddings-saas-cluster' }] as const;
/** `general` is one group a zone (docs/infrastructure-departures.md): the sizes of all three count. */
const general = ['eks/nodeGroup:NodeGroup', { 'labels.workload': 'general' }] as const;
const ml = ['eks/nodeGroup:NodeGroup', { nodeGroupName: 'ml_workloads' }] as const;
const database = ['rds/instance:Instance', { identifier: 'embeddings-saas-db' }] as const;
const cache = [
  'elasticache/replicationGroup:ReplicationGroup',
  { replicationGroupId: 'embeddings-cache' },
] as const;
const bucket = ['s3/bucket:Bucket', { bucket: 'embeddings-saas-data' }] as const;
const versioning = ['s3/bucketVersioning:BucketVersioning', { bucket: 'embeddings-saas-data-id' }] as const;
const lifecycle = [
  's3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
  { bucket: 'embeddings-saas-data-id' },
] as const;

type Place = readonly [type: string, where: Readonly<Record<string, unknown>>];

/** Every literal of the section "Infrastructure as Code" and of the lifecycle and backup lines that belong to it. */
const kept: [literal: string, place: Place, path: string, value: unknown][] = [
  ['cluster_name = embeddings-saas-cluster', cluster, 'name', 'embeddings-saas-cluster'],
  ['subnet_ids = private_subnets', cluster, 'vpcConfig.subnetIds.length', 3],
  ['general.instance_types = t3.large', general, 'instanceTypes.0', 't3.large'],
  ['general.capacity_type = SPOT', general, 'capacityType', 'SPOT'],
  ['ml_workloads.desired_size = 1', ml, 'scalingConfig.desiredSize', 1],
  ['ml_workloads.min_size = 1', ml, 'scalingConfig.minSize', 1],
  ['ml_workloads.max_size = 5', ml, 'scalingConfig.maxSize', 5],
  ['ml_workloads.instance_types = c5.2xlarge', ml, 'instanceTypes.0', 'c5.2xlarge'],
  ['ml_workloads.capacity_type = ON_DEMAND', ml, 'capacityType', 'ON_DEMAND'],
  ['identifier = embeddings-saas-db', database, 'identifier', 'embeddings-saas-db'],
  ['engine = postgres', database, 'engine', 'postgres'],
  ['engine_version = 15', database, 'engineVersion', '15'],
  ['instance_class = db.t3.medium', database, 'instanceClass', 'db.t3.medium'],
  ['allocated_storage = 100', database, 'allocatedStorage', 100],
  ['storage_encrypted = true', database, 'storageEncrypted', true],
  ['multi_az = true', database, 'multiAz', true],
  ['db_name = embeddings_saas', database, 'dbName', 'embeddings_saas'],
  ['skip_final_snapshot = false', database, 'skipFinalSnapshot', false],
  ['backup_retention_period = 7', database, 'backupRetentionPeriod', 7],
  ['cluster_id = embeddings-cache', cache, 'replicationGroupId', 'embeddings-cache'],
  ['engine = redis', cache, 'engine', 'redis'],
  ['node_type = cache.t3.medium', cache, 'nodeType', 'cache.t3.medium'],
  ['num_cache_nodes = 1', cache, 'numCacheClusters', 1],
  ['parameter_group_name = default.redis7', cache, 'parameterGroupName', 'default.redis7'],
  ['port = 6379', cache, 'port', 6379],
  ['bucket = embeddings-saas-data', bucket, 'bucket', 'embeddings-saas-data'],
  ['versioning.enabled = true', versioning, 'versioningConfiguration.status', 'Enabled'],
  ['lifecycle_rule.enabled = true', lifecycle, 'rules.0.status', 'Enabled'],
  ['transition.days = 30', lifecycle, 'rules.0.transitions.0.days', 30],
  [
    'transition.storage_class = INTELLIGENT_TIERING',
    lifecycle,
    'rules.0.transitions.0.storageClass',
    'INTELLIGENT_TIERING',
  ],
  ['Glacier after 90 days (raw)', lifecycle, 'rules.1.transitions.0.days', 90],
  ['Glacier (raw)', lifecycle, 'rules.1.transitions.0.storageClass', 'GLACIER_IR'],
  ['Glacier after 90 days (training)', lifecycle, 'rules.2.transitions.0.days', 90],
  ['logs deleted after 1 year', lifecycle, 'rules.3.expiration.days', 365],
];

const departed = [
  'hashicorp/aws ~> 5.0',
  'terraform-aws-modules/eks/aws ~> 19.0',
  'cluster_version = "1.28"',
  'engine_version = "15.4"',
  'password = var.db_password',
  'username = var.db_username',
  'aws_elasticache_cluster',
  'lifecycle_rule',
  'Glacier',
];

describe('literals of the specified infrastructure', () => {
  it.each(kept)('%s', (_literal, [type, where], path, value) => {
    // Act
    const resource = find(type, where);

    // Assess
    expect(resource, `${type} ${JSON.stringify(where)}`).toBeDefined();
    expect(at(resource?.inputs, path)).toEqual(value);
  });

  it.each([
    ['desired_size', 'desiredSize', 3],
    ['min_size', 'minSize', 2],
    ['max_size', 'maxSize', 10],
  ])('general.%s, over its groups', (_literal, key, value) => {
    const groups = resources.filter(({ inputs }) => at(inputs, 'labels.workload') === 'general');
    expect(groups).toHaveLength(3);
    const sum = groups.reduce((total, { inputs }) => total + Number(at(inputs, `scalingConfig.${key}`)), 0);
    expect(sum).toBe(value);
  });

  it('no row of that table is left over', () => {
    const [, table = ''] = readFileSync(
      new URL('../../../docs/infrastructure-departures.md', import.meta.url),
      'utf8',
    ).split('| specified');
    const [rows = ''] = table.split('\n## ');
    const literals = [...rows.matchAll(/^\| `([^`]+)`/gm)].map(([, literal]) => literal);
    expect(literals.sort()).toEqual([...departed].sort());
  });

  it.each(departed)('%s stands in the table of departures with a reason', (literal) => {
    const text = readFileSync(new URL('../../../docs/infrastructure-departures.md', import.meta.url), 'utf8');
    const row = text
      .split('\n')
      .find((line) => line.startsWith('|') && line.split('|')[1]?.includes(`\`${literal}\``));
    expect(row?.split('|')[3]?.trim().length ?? 0).toBeGreaterThan(20);
  });
});

describe('Glacier and models', () => {
  it('reaches an object only by its content tag, never by a prefix a model could share', () => {
    // Act
    const rules = at(find(...lifecycle)?.inputs, 'rules') as Record<string, unknown>[];
    const cold = rules.filter((rule) => at(rule, 'transitions.0.storageClass') === 'GLACIER_IR');

    // Assess
    expect(cold.map((rule) => at(rule, 'filter.tag'))).toEqual([
      { key: 'epsilon-content', value: 'raw' },
      { key: 'epsilon-content', value: 'training' },
    ]);
    expect(cold.every((rule) => at(rule, 'filter.prefix') === undefined)).toBe(true);
  });
});
