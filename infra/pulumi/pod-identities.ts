import { LogGroup } from '@pulumi/aws/cloudwatch/logGroup.js';
import type { Cluster } from '@pulumi/aws/eks/cluster.js';
import { PodIdentityAssociation } from '@pulumi/aws/eks/podIdentityAssociation.js';
import { interpolate, type Output, type Resource } from '@pulumi/pulumi';
import { createIdentity, type Identity, trustPods } from './identity.ts';
import type { PodUser } from './job-roles.ts';
import type { Keys } from './keys.ts';
import { loadBalancerStatements } from './load-balancer-policy.ts';
import type { Site, Statement } from './site.ts';

/** Roles of cluster services; the add-ons EKS manages take theirs directly, the others by association. */
export interface PodIdentities {
  readonly network: Identity;
  readonly storage: Identity;
  readonly associations: readonly Resource[];
}

function autoscaler(site: Site, clusterName: string): Statement[] {
  return [
    {
      Effect: 'Allow',
      Action: [
        'autoscaling:DescribeAutoScalingGroups',
        'autoscaling:DescribeAutoScalingInstances',
        'autoscaling:DescribeLaunchConfigurations',
        'autoscaling:DescribeScalingActivities',
        'autoscaling:DescribeTags',
        'ec2:DescribeImages',
        'ec2:DescribeInstanceTypes',
        'ec2:DescribeLaunchTemplateVersions',
        'ec2:GetInstanceTypesFromInstanceRequirements',
      ],
      // None of these describe calls can be restricted to a resource.
      Resource: '*',
    },
    {
      Effect: 'Allow',
      Action: 'eks:DescribeNodegroup',
      Resource: interpolate`arn:aws:eks:${site.config.region}:${site.accountId}:nodegroup/${clusterName}/*`,
    },
    {
      Effect: 'Allow',
      Action: ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'],
      Resource: interpolate`arn:aws:autoscaling:${site.config.region}:${site.accountId}:autoScalingGroup:*:autoScalingGroupName/*`,
      // EKS puts this tag on the groups it manages, training-nodes.ts on the others.
      Condition: {
        StringEquals: { [`aws:ResourceTag/k8s.io/cluster-autoscaler/${clusterName}`]: 'owned' },
      },
    },
  ];
}

/** What pods may be given: not every secret of the environment, which the key of the release's App is one of. */
function secretReader(site: Site, keys: Keys): Statement[] {
  const { region, environment, nameSuffix } = site.config;
  return [
    {
      Effect: 'Allow',
      Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      // Secrets Manager appends a dash and six characters to a name.
      Resource: interpolate`arn:aws:secretsmanager:${region}:${site.accountId}:secret:epsilon/${environment}/redis-??????`,
    },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      // RDS names the secret it rotates; its tag says whose it is, also where environments share an account.
      Resource: interpolate`arn:aws:secretsmanager:${region}:${site.accountId}:secret:rds!db-*`,
      Condition: {
        StringEquals: {
          'aws:ResourceTag/aws:rds:primaryDBInstanceArn': interpolate`arn:aws:rds:${region}:${site.accountId}:db:embeddings-saas-db${nameSuffix}`,
        },
      },
    },
    {
      Effect: 'Allow',
      Action: ['ssm:GetParameter', 'ssm:GetParameters', 'ssm:GetParametersByPath'],
      Resource: interpolate`arn:aws:ssm:${region}:${site.accountId}:parameter/epsilon/${environment}/*`,
    },
    {
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: keys.data.arn,
      Condition: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
    },
  ];
}

function logShipper(site: Site): Statement[] {
  return [
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
      Resource: interpolate`arn:aws:logs:${site.config.region}:${site.accountId}:log-group:/epsilon/${site.config.environment}/pods:*`,
    },
  ];
}

/** The watcher says how jobs stand, on our bus and as nobody else. */
function jobWatcher(site: Site): Statement[] {
  const { region, environment } = site.config;
  return [
    {
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Resource: interpolate`arn:aws:events:${region}:${site.accountId}:event-bus/epsilon-${environment}`,
      Condition: {
        'ForAllValues:StringEquals': {
          'events:source': 'epsilon.jobs',
          'events:detail-type': 'Job State Change',
        },
      },
    },
  ];
}

/** Alertmanager notifies people, on the topic that every alarm goes to. */
function alertmanager(topicArn: Output<string>, keys: Keys): Statement[] {
  return [
    { Effect: 'Allow', Action: 'sns:Publish', Resource: topicArn },
    // The topic is encrypted with the data key: whoever publishes needs it.
    { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: keys.data.arn },
  ];
}

/** Grafana shows what CloudWatch counts; these calls know no resource. */
function metricReader(): Statement[] {
  return [{ Effect: 'Allow', Action: ['cloudwatch:GetMetricData', 'cloudwatch:ListMetrics'], Resource: '*' }];
}

/** Namespace in which an environment answers users (infra/k8s/serving); dev has none. */
const servedIn: Readonly<Record<string, string>> = { staging: 'staging', prod: 'production' };

/** ml-engine looks up which model of a tenant is live, and reads it. */
function modelReader(site: Site, keys: Keys): Statement[] {
  const { region, environment, dataBucket } = site.config;
  return [
    {
      Effect: 'Allow',
      Action: 'dynamodb:GetItem',
      Resource: interpolate`arn:aws:dynamodb:${region}:${site.accountId}:table/epsilon-${environment}`,
      Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['TENANT#*'] } },
    },
    { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${dataBucket}/*/runs/*` },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: `arn:aws:s3:::${dataBucket}`,
      Condition: { StringLike: { 's3:prefix': '*/runs/*' } },
    },
    {
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: keys.data.arn,
      Condition: {
        StringEquals: {
          'kms:ViaService': [`s3.${region}.amazonaws.com`, `dynamodb.${region}.amazonaws.com`],
        },
      },
    },
  ];
}

/** Creates the log group the shipper writes to, so that no pod needs the right to create groups. */
export function createPodLogs(site: Site, keys: Keys): void {
  new LogGroup(
    site.name('pods'),
    { name: `/epsilon/${site.config.environment}/pods`, retentionInDays: 365, kmsKeyId: keys.logs.arn },
    site.here,
  );
}

/** Part of a role's name, namespace, service account, and what its pods may do. */
type PodRights = readonly [part: string, namespace: string, serviceAccount: string, allow: Statement[]];

/** Creates the roles and associations. Nothing here needs a node, so every association exists before the first pod. */
export function createPodIdentities(
  site: Site,
  cluster: Cluster,
  options: {
    readonly keys: Keys;
    readonly jobs: PodUser;
    readonly alertsArn: Output<string>;
    readonly dependsOn: readonly Resource[];
  },
): PodIdentities {
  const clusterName = `embeddings-saas-cluster${site.config.nameSuffix}`;
  const trust = [trustPods(site)];
  const serving = [servedIn[site.config.environment] ?? []].flat();
  const users: PodRights[] = [
    ['cluster-autoscaler', 'kube-system', 'cluster-autoscaler', autoscaler(site, clusterName)],
    [
      'load-balancer',
      'kube-system',
      'aws-load-balancer-controller',
      loadBalancerStatements(site, clusterName),
    ],
    ['external-secrets', 'external-secrets', 'external-secrets', secretReader(site, options.keys)],
    ['log-shipper', 'logging', 'aws-for-fluent-bit', logShipper(site)],
    ['job-watcher', 'epsilon', 'job-watcher', jobWatcher(site)],
    ['alertmanager', 'monitoring', 'alertmanager', alertmanager(options.alertsArn, options.keys)],
    ['grafana', 'monitoring', 'grafana', metricReader()],
    ...serving.map(
      (namespace): PodRights => ['ml-engine', namespace, 'ml-engine', modelReader(site, options.keys)],
    ),
  ];
  const associations = users.flatMap(([part, namespace, serviceAccount, allow]) => {
    const identity = createIdentity(site, part, { trust, allow });
    return new PodIdentityAssociation(
      site.name(part),
      { clusterName: cluster.name, namespace, serviceAccount, roleArn: identity.arn },
      { ...site.here, dependsOn: [...identity.ready, ...options.dependsOn] },
    );
  });
  const { namespace, serviceAccount, roleArn, ready } = options.jobs;
  const jobs = new PodIdentityAssociation(
    site.name('job-pod'),
    { clusterName: cluster.name, namespace, serviceAccount, roleArn },
    { ...site.here, dependsOn: [...ready, ...options.dependsOn] },
  );
  return {
    network: createIdentity(site, 'vpc-cni', { trust, managed: ['AmazonEKS_CNI_Policy'] }),
    storage: createIdentity(site, 'ebs-csi', { trust, managed: ['service-role/AmazonEBSCSIDriverPolicy'] }),
    associations: [...associations, jobs],
  };
}
