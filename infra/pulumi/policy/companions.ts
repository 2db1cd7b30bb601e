import type { Seen } from './statements.ts';

/** Resources that every bucket needs beside it, found by the bucket's id. */
const bucketCompanions = [
  's3/bucketPublicAccessBlock:BucketPublicAccessBlock',
  's3/bucketVersioning:BucketVersioning',
  's3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
  's3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
  's3/bucketPolicy:BucketPolicy',
  's3/bucketOwnershipControls:BucketOwnershipControls',
  's3/bucketLogging:BucketLogging',
] as const;

/** Buckets that hold access logs have none of their own: those would log the logging. */
const isLogBucket = (name: string) => name.endsWith('-logs');

/** Buckets without one of their guards, as sentences: what a per-resource rule cannot see. */
export function missingCompanions(resources: readonly Seen[]): string[] {
  const buckets = resources.filter(({ type }) => type === 'aws:s3/bucket:Bucket');
  return buckets.flatMap(({ name }) =>
    bucketCompanions
      .filter((kind) => !(isLogBucket(name) && kind === 's3/bucketLogging:BucketLogging'))
      .filter((kind) => !resources.some((other) => other.type === `aws:${kind}` && other.name === name))
      .map((kind) => `${name} has no ${kind.split(':')[1]}`),
  );
}
