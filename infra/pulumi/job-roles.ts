import { RolePolicy } from '@pulumi/aws/iam/rolePolicy.js';
import type { Bucket } from '@pulumi/aws/s3/bucket.js';
import { interpolate, type Output, type Resource } from '@pulumi/pulumi';
import { servicePath } from './delivery/deploy.ts';
import { createIdentity, document, type Identity, trustHost, trustPods } from './identity.ts';
import type { Keys } from './keys.ts';
import type { Site, Statement } from './site.ts';

/** The identity of a service account; associated before any node exists, because a pod without it fails. */
export interface PodUser {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly roleArn: Output<string>;
  readonly ready: readonly Resource[];
}

/** Roles of training jobs. */
export interface JobRoles {
  /** What a job works with; a session without a TenantId tag reaches nothing. */
  readonly tenant: Output<string>;
  /** What a job on Batch starts with: it has no rights, and the API that lends credentials knows it by its name. */
  readonly batch: Output<string>;
  /** What a job in the cluster starts with. */
  readonly pod: PodUser;
}

/** Namespace and service account of all jobs (infra/k8s/jobs). */
const jobPods = { namespace: 'ml-jobs', serviceAccount: 'training-job' } as const;

const tenantTag = '${aws:PrincipalTag/TenantId}';

/** Tags that say which attempt of a tenant a session is for; a session has all of them or none. */
const attemptTags = ['Run', 'Stage', 'Attempt'];

/** What a tag of a session says, in a resource or a condition; a session without it matches nothing. */
const said = (tag: string) => `\${aws:PrincipalTag/${tag}}`;

/** Where an attempt writes below its tenant's prefix, from the tags of its session (lib/training/attempts/job-spec.ts). */
const attemptPrefix = `runs/${tenantTag}-${attemptTags.map(said).join('/')}`;

/** Outputs of the run of an attempt. */
const runPrefix = `${tenantTag}/runs/${tenantTag}-${said('Run')}/*`;

/** A tag that is asked for, in a pattern that the pod's name is compared with. */
const asked = (tag: string) => `\${aws:RequestTag/${tag}}`;

/**
 * Names of pods by what they prove (lib/training/attempts/job-name.ts): tenant, run, stage and attempt; or the tenant alone, where
 * the others do not fit into a name. Kubernetes appends "-" and five characters. A dot ends the tenant: no tenant id has one.
 */
const provesAttempt = `${['TenantId', ...attemptTags].map(asked).join('.')}-*`;
const provesTenant = [`${asked('TenantId')}.x.*`, `x.${asked('TenantId')}x.*`];
const someTenant = '?*';

/** Tags that EKS itself sets on a pod's session; they stay with the session that is made from it. */
const podTags = [
  'eks-cluster-arn',
  'eks-cluster-name',
  'kubernetes-namespace',
  'kubernetes-service-account',
  'kubernetes-pod-name',
  'kubernetes-pod-uid',
];

const become = ['sts:AssumeRole', 'sts:TagSession'];

function trustJobs(site: Site, pod: Identity, clusterName: string): Statement[] {
  const podStatement = (sid: string, names: readonly string[], tags: readonly string[]): Statement => ({
    Sid: sid,
    Effect: 'Allow',
    Principal: { AWS: pod.arn },
    Action: become,
    Condition: {
      // EKS sets this tag, and a container cannot: whatever it asks for must be what its own name says.
      StringLike: { 'aws:PrincipalTag/kubernetes-pod-name': names, 'aws:RequestTag/TenantId': someTenant },
      // The role could be given to other pods by mistake: only those of training jobs may use it.
      StringEquals: {
        'aws:PrincipalTag/eks-cluster-name': clusterName,
        'aws:PrincipalTag/kubernetes-namespace': jobPods.namespace,
        'aws:PrincipalTag/kubernetes-service-account': jobPods.serviceAccount,
      },
      'ForAllValues:StringEquals': { 'aws:TagKeys': [...tags, ...podTags] },
    },
  });
  return [
    podStatement('PodActsForItsAttempt', [provesAttempt], ['TenantId', ...attemptTags]),
    podStatement('PodActsForItsTenant', provesTenant, ['TenantId']),
    {
      Sid: 'LendCredentialsActsForOneTenant',
      Effect: 'Allow',
      // The service makes this role, after infrastructure: a principal has to exist, a pattern does not.
      Principal: { AWS: interpolate`arn:aws:iam::${site.accountId}:root` },
      Action: become,
      Condition: {
        ArnLike: {
          'aws:PrincipalArn': interpolate`arn:aws:iam::${site.accountId}:role${servicePath(site.config.environment)}epsilon-${site.config.environment}-LendCredentialsRole-*`,
        },
        StringLike: { 'aws:RequestTag/TenantId': someTenant },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId'] },
      },
    },
  ];
}

/** Sessions for a tenant alone: no pod's name of theirs says an attempt, or a session policy narrows them. */
const ofNoAttempt = {
  Null: Object.fromEntries(attemptTags.map((tag) => [`aws:PrincipalTag/${tag}`, 'true'])),
};

/** Sessions of the stage that reads documents, which may be anywhere below the tenant's prefix. */
const ofPrepare = { StringEquals: { 'aws:PrincipalTag/Stage': 'prepare' } };

const write = ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'];

function tenantData(bucket: Bucket, keys: Keys, region: string): Statement[] {
  /** Reads and lists below a prefix of the bucket; the slash after the tag: `t1` must not reach `t10`. */
  const reads = (below: string, when: NonNullable<Statement['Condition']> = {}): Statement[] => [
    {
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: interpolate`${bucket.arn}/${below}`,
      ...(Object.keys(when).length > 0 && { Condition: when }),
    },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: bucket.arn,
      Condition: { ...when, StringLike: { 's3:prefix': below } },
    },
  ];
  return [
    ...reads(runPrefix),
    ...reads(`${tenantTag}/*`, ofPrepare),
    ...reads(`${tenantTag}/*`, ofNoAttempt),
    {
      Effect: 'Allow',
      Action: write,
      Resource: interpolate`${bucket.arn}/${tenantTag}/${attemptPrefix}/*`,
    },
    {
      Effect: 'Allow',
      Action: write,
      Resource: interpolate`${bucket.arn}/${tenantTag}/runs/*`,
      Condition: ofNoAttempt,
    },
    {
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: keys.data.arn,
      Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
    },
  ];
}

/** Lets an identity take the tenant role, and nothing else: whom it acts for is decided by the role's own trust. */
function mayBecome(site: Site, part: string, identity: Identity, tenant: Identity): RolePolicy {
  return new RolePolicy(
    site.name(part),
    {
      name: 'become-tenant',
      role: identity.role.name,
      policy: document([
        {
          Effect: 'Allow',
          Action: ['sts:AssumeRole', 'sts:TagSession'],
          Resource: tenant.arn,
          Condition: { StringLike: { 'aws:RequestTag/TenantId': someTenant } },
        },
      ]),
    },
    site.here,
  );
}

/**
 * Creates the tenant role and the two identities that jobs start with. IAM, not our code, keeps one tenant's session out of
 * another's objects.
 */
export function createJobRoles(site: Site, bucket: Bucket, keys: Keys): JobRoles {
  const clusterName = `embeddings-saas-cluster${site.config.nameSuffix}`;
  const pod = createIdentity(site, 'job-pod', { trust: [trustPods(site)] });
  const batch = createIdentity(site, 'job-batch', { trust: [trustHost('ecs-tasks.amazonaws.com')] });
  const tenant = createIdentity(site, 'tenant-job', {
    trust: trustJobs(site, pod, clusterName),
    allow: tenantData(bucket, keys, site.config.region),
    // A chained session ends after an hour whatever is asked; jobs renew it.
    sessionSeconds: 3_600,
  });
  const podPolicy = mayBecome(site, 'job-pod', pod, tenant);
  return {
    tenant: tenant.arn,
    batch: batch.arn,
    pod: { ...jobPods, roleArn: pod.arn, ready: [...pod.ready, podPolicy] },
  };
}
