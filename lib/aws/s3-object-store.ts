import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Throttled } from '../errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../errors/store-errors.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';
import { parseObjectUri, parsePrefixUri } from '../training/object-uri.ts';

/** Service errors that mean "slow down". */
const throttling: ReadonlySet<string> = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  '503',
]);

function explain(error: unknown, uri: string): unknown {
  const { name = '' } = error as Error;
  if (name === 'NoSuchKey' || name === 'NotFound')
    return new NotFound('OBJECT_NOT_FOUND', `There is no object ${uri}.`);
  if (name === 'PreconditionFailed' || name === 'ConditionalRequestConflict')
    return new ConditionFailed(`object ${uri} is there already`);
  return throttling.has(name) ? new Throttled(`S3 asks to slow down (${uri}).`, error) : error;
}

/** Objects in S3. The client retries what is safe to retry; what is left is told by the port's errors. */
export function createS3ObjectStore({
  client = new S3Client({}),
}: {
  readonly client?: S3Client;
} = {}): ObjectStore {
  const call = async <T>(
    uri: string,
    work: (place: { Bucket: string; Key: string }) => Promise<T>,
  ): Promise<T> => {
    const { bucket, key } = parseObjectUri(uri);
    try {
      return await work({ Bucket: bucket, Key: key });
    } catch (error) {
      throw explain(error, uri);
    }
  };

  async function* list(prefixUri: string): AsyncGenerator<ObjectInfo> {
    const { bucket, key } = parsePrefixUri(prefixUri);
    let token: string | undefined;
    do {
      const page = await client
        .send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: key,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        )
        .catch((error: unknown) => Promise.reject(explain(error, prefixUri)));
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        yield {
          uri: `s3://${bucket}/${Key ?? ''}`,
          size: Size ?? 0,
          modifiedAt: LastModified?.getTime() ?? 0,
        };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  return {
    get: (uri) =>
      call(uri, async (place) => {
        const { Body } = await client.send(new GetObjectCommand(place));
        return Body ? Body.transformToByteArray() : new Uint8Array();
      }),
    put: (uri, body, { contentType, ifAbsent } = {}) =>
      call(uri, async (place) => {
        await client.send(
          new PutObjectCommand({
            ...place,
            Body: body,
            ...(contentType === undefined ? {} : { ContentType: contentType }),
            ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
          }),
        );
      }),
    head: async (uri) => {
      try {
        return await call(uri, async (place) => {
          const { ContentLength, LastModified } = await client.send(new HeadObjectCommand(place));
          return { uri, size: ContentLength ?? 0, modifiedAt: LastModified?.getTime() ?? 0 };
        });
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    list,
    copy: (fromUri, toUri) => {
      const from = parseObjectUri(fromUri);
      return call(toUri, async (place) => {
        const source = `${from.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`;
        await client.send(new CopyObjectCommand({ ...place, CopySource: source }));
      });
    },
    delete: (uri) =>
      call(uri, async (place) => {
        await client.send(new DeleteObjectCommand(place));
      }),
  };
}
