import { RolePolicy } from '@pulumi/aws/iam/rolePolicy.js';
import type { Bucket } from '@pulumi/aws/s3/bucket.js';
import { interpolate, type Output } from '@pulumi/pulumi';
import { createIdentity, document, trustPods } from './identity.ts';
import type { Keys } from './keys.ts';
import type { Site, Statement } from './site.ts';

/** Roles of training jobs. */
export interface JobRoles {
  /** What a job works with; a session without a TenantId tag reaches nothing. */
  readonly tenant: Output<string>;
  /** What a tenant's service account has; it can only become the tenant role, as its own tenant. */
  readonly pod: Output<string>;
}

const tenantTag = '${aws:PrincipalTag/TenantId}';
const tenantPattern = '?*';

function trustTenantSessions(site: Site, pod: Output<string>): Statement[] {
  return [
    {
      Sid: 'PodActsForItsOwnTenant',
      Effect: 'Allow',
      Principal: { AWS: pod },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      // EKS sets this tag from the pod's service account, which is named after the tenant.
      Condition: {
        StringEquals: { 'aws:RequestTag/TenantId': '${aws:PrincipalTag/kubernetes-service-account}' },
      },
    },
    {
      Sid: 'BrokerActsForBatchJobs',
      Effect: 'Allow',
      Principal: { AWS: interpolate`arn:aws:iam::${site.accountId}:root` },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      // The account is the principal because the service, and with it the broker's role, comes later.
      Condition: {
        ArnLike: {
          'aws:PrincipalArn': interpolate`arn:aws:iam::${site.accountId}:role/${site.name('credential-broker')}`,
        },
        StringLike: { 'aws:RequestTag/TenantId': tenantPattern },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId'] },
      },
    },
  ];
}

function tenantData(bucket: Bucket, keys: Keys, region: string): Statement[] {
  return [
    {
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'],
      // The slash after the tag: `t1` must not reach `t10`.
      Resource: interpolate`${bucket.arn}/${tenantTag}/*`,
    },
    {
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: bucket.arn,
      Condition: { StringLike: { 's3:prefix': `${tenantTag}/*` } },
    },
    {
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: keys.data.arn,
      Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
    },
  ];
}

/** Creates both roles. IAM, not our code, keeps one tenant's job out of another's objects. */
export function createJobRoles(site: Site, bucket: Bucket, keys: Keys): JobRoles {
  const pod = createIdentity(site, 'job-pod', { trust: [trustPods(site)] });
  const tenant = createIdentity(site, 'tenant-job', {
    trust: trustTenantSessions(site, pod.arn),
    allow: tenantData(bucket, keys, site.config.region),
    // A chained session ends after an hour whatever is asked; jobs renew it.
    sessionSeconds: 3_600,
  });
  new RolePolicy(
    site.name('job-pod'),
    {
      name: 'become-tenant',
      role: pod.role.name,
      policy: document([
        { Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Resource: tenant.arn },
      ]),
    },
    site.here,
  );
  return { tenant: tenant.arn, pod: pod.arn };
}
