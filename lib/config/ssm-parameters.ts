/** One parameter that infrastructure writes and the service reads. */
export interface SsmParameter {
  /** `<area>/<name>`; the full name is `/epsilon/<environment>/<area>/<name>`. */
  readonly name: string;
  readonly writtenBy: 'infra/pulumi';
  readonly readBy: string;
  readonly meaning: string;
}

const parameter = (name: string, readBy: string, meaning: string): SsmParameter => ({
  name,
  writtenBy: 'infra/pulumi',
  readBy,
  meaning,
});

/** Everything that crosses from infrastructure to the service; values are ids, ARNs and names, never secrets. */
export const ssmParameters: readonly SsmParameter[] = [
  parameter('network/vpc-id', 'load balancer controller', 'VPC id'),
  parameter(
    'network/private-subnet-ids',
    'serverless.yml (functions in the VPC)',
    'comma-separated, one per zone',
  ),
  parameter('network/lambda-security-group-id', 'serverless.yml', 'security group of functions in the VPC'),
  parameter('network/api-endpoint-id', 'serverless.yml (credentials of jobs)', 'endpoint of private APIs'),
  parameter('eks/cluster-name', 'serverless.yml, release workflow', 'name of the cluster'),
  parameter('eks/cluster-endpoint', 'release workflow', 'https URL of the Kubernetes API'),
  parameter('batch/spot-queue-arn', 'serverless.yml (job runner)', 'queue tried first'),
  parameter('batch/on-demand-queue-arn', 'serverless.yml (job runner)', 'queue after repeated preemption'),
  parameter(
    'batch/job-definition-arns',
    'serverless.yml (job runner)',
    'JSON: stage to ARN; {} until images have digests',
  ),
  parameter(
    's3/data-bucket',
    'people: equals dataBucket of the settings',
    'bucket of tenant data and models',
  ),
  parameter('s3/replica-bucket', 'serverless.yml (backups)', 'bucket in the disaster recovery region'),
  parameter('redis/endpoint', 'serverless.yml (fillCache), external-secrets', 'host of the cache'),
  parameter(
    'redis/secret-arn',
    'serverless.yml (fillCache), external-secrets',
    'secret with the cache token',
  ),
  parameter('rds/instance-id', 'serverless.yml (alerts, backups)', 'identifier of the database'),
  parameter('rds/endpoint', 'backend, serverless.yml (beatStores)', 'host:port of the database'),
  parameter('rds/secret-arn', 'external-secrets', 'secret with the database credentials, rotated by AWS'),
  parameter('kms/key-arn', 'serverless.yml', 'key of data at rest'),
  parameter('kms/logs-key-arn', 'serverless.yml', 'key of log groups'),
  parameter(
    'kms/replica-key-arn',
    'serverless.yml (backups)',
    'key of data at rest in the disaster recovery region',
  ),
  parameter(
    'recovery/subnet-group',
    'serverless.yml (restores)',
    'subnets of restored databases, in that region',
  ),
  parameter(
    'recovery/parameter-group',
    'serverless.yml (restores)',
    'parameters of restored databases, in that region',
  ),
  parameter(
    'recovery/security-group-id',
    'serverless.yml (restores)',
    'group of restored databases, in that region',
  ),
  parameter(
    'jobs/role-arn',
    'serverless.yml (job runner)',
    'role that a job takes with its TenantId session tag',
  ),
  parameter(
    'ecr/data-pipeline-url',
    'serverless.yml (beginRun), release workflow',
    'repository of the data-pipeline image',
  ),
  parameter(
    'ecr/ml-engine-url',
    'serverless.yml (beginRun), release workflow',
    'repository of the ml-engine image',
  ),
  parameter(
    'ecr/deployer-url',
    'serverless.yml (beginRun), release workflow',
    'repository of the deployer image',
  ),
  parameter('ecr/backend-api-url', 'release workflow', 'repository of the backend-api image'),
  parameter('ecr/job-watcher-url', 'infra/k8s, release workflow', 'repository of the job watcher image'),
  parameter('alerts/topic-arn', 'serverless.yml', 'topic that people subscribe to'),
  parameter('argocd/host', 'infra/argocd/addons', 'host of Argo CD; argocd.invalid where none is set'),
  parameter('github/repository', 'infra/argocd/addons', 'repository that releases come from'),
  parameter(
    'deploy/role-arn',
    'serverless.yml (deploy)',
    'role with which CloudFormation deploys the service',
  ),
  parameter('github/release-role-arn', 'release workflow', 'role of jobs that act in this environment'),
  parameter(
    'github/control-role-arn',
    'release workflow',
    'role of jobs that begin releases and answer their acts',
  ),
  parameter('github/preview-role-arn', 'provision workflow', 'role of jobs that preview infrastructure'),
];

/** Parameters that infrastructure writes into the disaster recovery region too, with that region's own values: what stands there reads them. */
export const standbyParameters = [
  'kms/key-arn',
  'kms/logs-key-arn',
  'kms/replica-key-arn',
  'alerts/topic-arn',
  'rds/instance-id',
  's3/replica-bucket',
  'recovery/subnet-group',
  'recovery/parameter-group',
  'recovery/security-group-id',
] as const;

/** Full name of a parameter; `name` is `<area>/<name>`. */
export function ssmParameterName(environment: string, name: string): string {
  return `/epsilon/${environment}/${name}`;
}
