import type { Key } from '@pulumi/aws/kms/key.js';
import { Bucket } from '@pulumi/aws/s3/bucket.js';
import { BucketOwnershipControls } from '@pulumi/aws/s3/bucketOwnershipControls.js';
import { BucketPolicy } from '@pulumi/aws/s3/bucketPolicy.js';
import { BucketPublicAccessBlock } from '@pulumi/aws/s3/bucketPublicAccessBlock.js';
import { BucketServerSideEncryptionConfiguration } from '@pulumi/aws/s3/bucketServerSideEncryptionConfiguration.js';
import { BucketVersioning } from '@pulumi/aws/s3/bucketVersioning.js';
import { type CustomResourceOptions, interpolate } from '@pulumi/pulumi';
import { document } from './identity.ts';
import type { Statement } from './site.ts';

/** A bucket with its versioning, which replication has to wait for. */
export interface GuardedBucket {
  readonly bucket: Bucket;
  readonly versioning: BucketVersioning;
}

/** What a bucket differs in. */
export interface BucketOptions {
  readonly name: string;
  readonly region: CustomResourceOptions;
  /** Without a key, S3's own keys (log delivery writes no customer-key objects). */
  readonly key?: Key;
  readonly allow?: (bucket: Bucket) => Statement[];
}

function refuseInsecure(bucket: Bucket): Statement {
  return {
    Sid: 'RefuseInsecureTransport',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [bucket.arn, interpolate`${bucket.arn}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
}

/** Creates a versioned, encrypted bucket that refuses public access and plain HTTP. */
export function createBucket({ name, region, key, allow }: BucketOptions): GuardedBucket {
  const bucket = new Bucket(name, { bucket: name, forceDestroy: false }, { ...region, protect: true });
  const versioning = new BucketVersioning(
    name,
    { bucket: bucket.id, versioningConfiguration: { status: 'Enabled' } },
    region,
  );
  const rule = key
    ? {
        applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: key.arn },
        bucketKeyEnabled: true,
      }
    : { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } };
  new BucketServerSideEncryptionConfiguration(name, { bucket: bucket.id, rules: [rule] }, region);
  new BucketOwnershipControls(
    name,
    { bucket: bucket.id, rule: { objectOwnership: 'BucketOwnerEnforced' } },
    region,
  );
  const block = new BucketPublicAccessBlock(
    name,
    {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    region,
  );
  new BucketPolicy(
    name,
    { bucket: bucket.id, policy: document([refuseInsecure(bucket), ...(allow?.(bucket) ?? [])]) },
    // Two policy-like writes to one bucket at once end in a conflict.
    { ...region, dependsOn: [block] },
  );
  return { bucket, versioning };
}
