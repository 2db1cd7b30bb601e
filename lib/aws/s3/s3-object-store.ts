import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Throttled } from '../../errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../../errors/store-errors.ts';
import { contentOf, contentTag } from '../../objects/object-content.ts';
import { parseObjectUri, parsePrefixUri } from '../../objects/object-uri.ts';
import type { ListOptions, ObjectInfo, ObjectStore } from '../../ports/object-store.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';
import { copyObject } from './copy-object.ts';
import { streamObject, uploadPieces } from './s3-streams.ts';

function isAbsent(error: unknown): boolean {
  const name = errorName(error);
  return name === 'NoSuchKey' || name === 'NotFound';
}

function explain(error: unknown, action: string, uri: string): unknown {
  if (error instanceof NotFound) return error;
  const name = errorName(error);
  if (isAbsent(error)) return new NotFound('OBJECT_NOT_FOUND', `There is no object ${uri}.`);
  if (name === 'PreconditionFailed' || name === 'ConditionalRequestConflict')
    return new ConditionFailed(`object ${uri} exists already`);
  return name === '503'
    ? new Throttled(`S3 throttles requests (${uri}).`, error)
    : explainServiceError(error, action, uri);
}

/** What lifecycle rules go by. */
function tagging(key: string): { Tagging?: string } {
  const content = contentOf(key);
  return content === undefined ? {} : { Tagging: `${contentTag}=${content}` };
}

/** Objects in S3. The client retries what is safe to retry; other failures become the port's errors. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function createS3ObjectStore({
  client = new S3Client({}),
}: {
  readonly client?: S3Client;
} = {}): ObjectStore {
  const call = async <T>(
    action: string,
    uri: string,
    work: (object: { Bucket: string; Key: string }) => Promise<T>,
  ): Promise<T> => {
    const { bucket, key } = parseObjectUri(uri);
    try {
      return await work({ Bucket: bucket, Key: key });
    } catch (error) {
      throw explain(error, action, uri);
    }
  };

  async function* list(prefixUri: string, { after }: ListOptions = {}): AsyncGenerator<ObjectInfo> {
    const { bucket, key } = parsePrefixUri(prefixUri);
    let token: string | undefined;
    do {
      const page = await client
        .send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: key,
            ...(token === undefined ? {} : { ContinuationToken: token }),
            ...(after === undefined ? {} : { StartAfter: key + after }),
          }),
        )
        .catch((error: unknown) => Promise.reject(explain(error, 's3:ListBucket', prefixUri)));
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
    get: (uri, { first, from = 0 } = {}) =>
      call('s3:GetObject', uri, async (object) => {
        const range = first === undefined ? {} : { Range: `bytes=${from}-${from + first - 1}` };
        try {
          const { Body } = await client.send(new GetObjectCommand({ ...object, ...range }));
          return Body ? await Body.transformToByteArray() : new Uint8Array();
        } catch (error) {
          // An empty object has no first byte.
          if (first !== undefined && errorName(error) === 'InvalidRange') return new Uint8Array();
          throw error;
        }
      }),
    stream: (uri) => streamObject(client, uri, explain),
    put: (uri, body, { contentType, ifAbsent } = {}) =>
      call('s3:PutObject', uri, async (object) => {
        const put = {
          ...object,
          ...(contentType === undefined ? {} : { ContentType: contentType }),
          ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
          ...tagging(object.Key),
        };
        if (typeof body === 'string' || body instanceof Uint8Array)
          await client.send(new PutObjectCommand({ ...put, Body: body }));
        else await uploadPieces(client, put, body);
      }),
    head: async (uri) => {
      try {
        return await call('s3:GetObject', uri, async (object) => {
          const { ContentLength, LastModified } = await client.send(new HeadObjectCommand(object));
          return { uri, size: ContentLength ?? 0, modifiedAt: LastModified?.getTime() ?? 0 };
        });
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    list,
    copy: (fromUri, toUri, { size } = {}) => {
      const { bucket, key } = parseObjectUri(fromUri);
      return call('s3:PutObject', toUri, (to) =>
        copyObject(client, { from: { Bucket: bucket, Key: key }, to, size }).catch((error: unknown) =>
          // It is the source that is missing, whatever the call was for.
          Promise.reject(isAbsent(error) ? explain(error, 's3:GetObject', fromUri) : error),
        ),
      );
    },
    delete: (uri) =>
      call('s3:DeleteObject', uri, async (object) => {
        await client.send(new DeleteObjectCommand(object));
      }),
  };
}
