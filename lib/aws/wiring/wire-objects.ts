import { S3Client } from '@aws-sdk/client-s3';
import { createS3ObjectStore } from '../s3/s3-object-store.ts';
import type { AwsBase } from './base.ts';

/** Objects in S3. */
export const wireObjects = ({ clients }: AwsBase) => ({
  objects: createS3ObjectStore({ client: clients.of(S3Client) }),
});
