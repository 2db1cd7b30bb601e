import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { inParallel } from '../../concurrency/in-parallel.ts';

/** Where an object is stored, as S3's calls name it. */
export interface S3Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** What is copied. */
export interface S3Copy {
  readonly from: S3Place;
  readonly to: S3Place;
  /** Bytes; asked for when absent. */
  readonly size?: number | undefined;
}

/**
 * Bytes that one call copies, at most. S3 would take 5 GiB, but answers only when it is done: at the 50 MB/s that it copies
 * with at worst, this is over before the client gives up waiting (lib/aws/wiring/clients.ts).
 */
const largestCall = 134_217_728;

/** Parts that an upload may have, and parts that are copied side by side. */
const mostParts = 10_000;
const partsAtOnce = 8;

const sourceOf = ({ Bucket, Key }: S3Place) =>
  `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`;

/** Byte ranges of the parts of an object, each as `bytes=first-last`. */
export function partRanges(size: number): string[] {
  const partSize = Math.max(largestCall, Math.ceil(size / mostParts));
  return Array.from({ length: Math.ceil(size / partSize) }, (_, index) => {
    const last = Math.min((index + 1) * partSize, size) - 1;
    return `bytes=${index * partSize}-${last}`;
  });
}

/** Copies every part; all calls are over when this returns or throws. */
async function copyParts(
  client: S3Client,
  copy: S3Copy,
  upload: { UploadId: string; ETag: string; size: number },
) {
  const { UploadId, ETag: CopySourceIfMatch, size } = upload;
  let failed: { readonly error: unknown } | undefined;
  const parts = await inParallel([...partRanges(size).entries()], partsAtOnce, async ([index, range]) => {
    if (failed) return {};
    const part = { ...copy.to, UploadId, PartNumber: index + 1, CopySource: sourceOf(copy.from) };
    try {
      const { CopyPartResult: { ETag } = {} } = await client.send(
        new UploadPartCopyCommand({ ...part, CopySourceRange: range, CopySourceIfMatch }),
      );
      return { PartNumber: index + 1, ETag };
    } catch (error) {
      failed ??= { error };
      return {};
    }
  });
  if (failed) throw failed.error;
  return parts;
}

/** Copies part by part, all of one version of the source; the target shows the whole copy or what was there before. */
async function copyInParts(client: S3Client, copy: S3Copy): Promise<void> {
  const {
    ContentLength: size = 0,
    ContentType,
    ETag = '',
  } = await client.send(new HeadObjectCommand(copy.from));
  const type = ContentType === undefined ? {} : { ContentType };
  const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand({ ...copy.to, ...type }));
  try {
    const Parts = await copyParts(client, copy, { UploadId, ETag, size });
    await client.send(
      new CompleteMultipartUploadCommand({ ...copy.to, UploadId, MultipartUpload: { Parts } }),
    );
  } catch (error) {
    // What an aborted upload leaves is removed by the bucket's lifecycle rule at the latest.
    await client.send(new AbortMultipartUploadCommand({ ...copy.to, UploadId })).catch(() => {});
    throw error;
  }
}

/** Copies an object of any size within S3. The copy takes no tags over: lifecycle rules that go by them are not for it. */
export async function copyObject(client: S3Client, copy: S3Copy): Promise<void> {
  const { from, to } = copy;
  const size = copy.size ?? (await client.send(new HeadObjectCommand(from))).ContentLength ?? 0;
  if (size > largestCall) return copyInParts(client, copy);
  await client.send(
    new CopyObjectCommand({ ...to, CopySource: sourceOf(from), TaggingDirective: 'REPLACE' }),
  );
}
