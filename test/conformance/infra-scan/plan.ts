import type { Registered } from '../../../infra/pulumi/cost/evaluate.ts';

/** Terraform's type of a Pulumi type where the names differ; the rest follows the rule `aws_<module>_<resource>`. */
const types: Readonly<Record<string, string>> = {
  'rds/instance:Instance': 'aws_db_instance',
  'rds/subnetGroup:SubnetGroup': 'aws_db_subnet_group',
  'rds/parameterGroup:ParameterGroup': 'aws_db_parameter_group',
  'rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication':
    'aws_db_instance_automated_backups_replication',
  's3/bucketReplicationConfig:BucketReplicationConfig': 'aws_s3_bucket_replication_configuration',
  'iam/openIdConnectProvider:OpenIdConnectProvider': 'aws_iam_openid_connect_provider',
  'ec2/eip:Eip': 'aws_eip',
};

/** Modules whose Terraform names carry no module. */
const bare = new Set(['ec2', 'vpc']);

/** Blocks that Pulumi names in the plural. */
const singular: Readonly<Record<string, string>> = {
  rules: 'rule',
  transitions: 'transition',
  encryptionConfigurations: 'encryption_configuration',
  parameters: 'parameter',
  notifications: 'notification',
  costFilters: 'cost_filter',
  logDeliveryConfigurations: 'log_delivery_configuration',
};

/** Maps of the user's own keys, which stay as they are. */
const maps = new Set(['tags', 'labels']);

const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Terraform's name of a Pulumi type (`aws:eks/cluster:Cluster` is `aws_eks_cluster`). */
function terraformType(type: string): string {
  const short = type.replace(/^aws:/, '');
  const known = types[short];
  if (known) return known;
  const [module = '', rest = ''] = short.split('/');
  const resource = snake(rest.split(':')[0] ?? '');
  return bare.has(module) ? `aws_${resource}` : `aws_${module}_${resource}`;
}

function block(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'object' ? values(item) : item));
  // Terraform's plan shows a single nested block as a list of one.
  return typeof value === 'object' && value !== null ? [values(value)] : value;
}

function values(inputs: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inputs as Record<string, unknown>).map(([key, value]) => [
      singular[key] ?? snake(key),
      maps.has(key) ? value : block(value),
    ]),
  );
}

function addressOf({ type, name }: Registered): string {
  return `${terraformType(type)}.${name.replaceAll(/[^\w-]/g, '_')}`;
}

/** Mocked id, ARN and name of every resource to its address, so that a property's value tells what it refers to. */
function referable(resources: readonly Registered[]): Map<string, string> {
  const known = new Map<string, string>();
  for (const resource of resources) {
    known.set(`${resource.name}-id ${resource.type}`, addressOf(resource));
  }
  return known;
}

function references(resource: Registered, known: ReadonlyMap<string, string>): Record<string, unknown> {
  // Only what the resource waits for can be meant: several kinds share one name.
  const targets = resource.waitsFor.map((key) => {
    const [type = '', name = ''] = key.split('::');
    return { values: [`${name}-id`, name], type, address: known.get(`${name}-id ${type}`) };
  });
  const found = Object.entries(resource.inputs).flatMap(([key, value]) => {
    const wanted = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
    const addresses = targets.flatMap(({ values: own, type, address }) =>
      address && wanted.some((item) => own.includes(item) || isArnOf(item, own[1] ?? '', type))
        ? [address]
        : [],
    );
    const names = addresses.flatMap((address) => [`${address}.id`, address]);
    return names.length > 0 ? [[singular[key] ?? snake(key), { references: names }] as const] : [];
  });
  return Object.fromEntries(found);
}

function isArnOf(value: string, name: string, type: string): boolean {
  return value.startsWith('arn:aws:mock:') && value.endsWith(`${type.split('/').at(-1)}/${name}`);
}

/** The registered resources in the form of `terraform show -json`, as far as a scanner of single resources reads it. */
export function toPlan(resources: readonly Registered[]): object {
  const known = referable(resources);
  const planned = resources
    .filter(({ type }) => type.startsWith('aws:'))
    .map((resource) => {
      const address = addressOf(resource);
      const [kind = '', label = ''] = address.split('.');
      const shared = { address, mode: 'managed', type: kind, name: label };
      return { shared, values: values(resource.inputs), expressions: references(resource, known) };
    });
  return {
    format_version: '1.2',
    terraform_version: '1.9.0',
    planned_values: {
      root_module: { resources: planned.map((item) => ({ ...item.shared, values: item.values })) },
    },
    resource_changes: planned.map((item) => ({
      ...item.shared,
      change: { actions: ['create'], before: null, after: item.values, after_unknown: {} },
    })),
    configuration: {
      root_module: {
        resources: planned.map((item) => ({ ...item.shared, expressions: item.expressions })),
      },
    },
  };
}
