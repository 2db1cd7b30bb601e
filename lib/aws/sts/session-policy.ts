import type { SessionScope } from '../../ports/job-sessions.ts';

/** Longest session policy that STS takes, in characters. */
export const longestSessionPolicy = 2_048;

/** Letters that IAM reads as a pattern or a variable, as themselves. */
const literal = (text: string) => text.replace(/[*?$]/g, (letter) => `\${${letter}}`);

/** Bucket and literal prefix of an `s3://` URI; a glob is cut where its pattern begins. */
function placeOf(uri: string): { readonly bucket: string; readonly prefix: string } {
  const [bucket = '', ...rest] = uri.replace(/^s3:\/\//, '').split('/');
  const key = rest.join('/');
  return { bucket, prefix: literal(key.replace(/[*?[{].*$/s, '')) };
}

/** Policy that narrows the role of jobs to one attempt: objects below what it reads and writes; the data key as the role has it. */
export function sessionPolicyOf({ read, write }: SessionScope, partition: string): string {
  const objects = (uri: string) => {
    const { bucket, prefix } = placeOf(uri);
    return `arn:${partition}:s3:::${bucket}/${prefix}*`;
  };
  const listing = read.map(placeOf).map(({ bucket, prefix }) => ({
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: `arn:${partition}:s3:::${bucket}`,
    Condition: { StringLike: { 's3:prefix': `${prefix}*` } },
  }));
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:GetObject', Resource: read.map(objects) },
      ...listing,
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'],
        Resource: objects(write),
      },
      { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '*' },
    ],
  });
}
