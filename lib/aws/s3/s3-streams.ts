import { Readable } from 'node:stream';
import { GetObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import { parseObjectUri } from '../../objects/object-uri.ts';

/** Broken connections after which reading an object gives up. */
const mostBreaks = 5;

/** Bytes of one part of an upload: 10,000 parts of this size are 160 GB. */
const partBytes = 16 * 1_048_576;

/** What a service's error means for the caller: error, IAM action, URI. */
type Explain = (error: unknown, action: string, uri: string) => unknown;

/** An object in pieces. A connection that breaks is taken up where it broke, on the same version of the object. */
export async function* streamObject(
  client: S3Client,
  uri: string,
  explain: Explain,
): AsyncGenerator<Uint8Array> {
  const { bucket, key } = parseObjectUri(uri);
  let read = 0;
  let version: string | undefined;
  for (let breaks = 0; ; ) {
    const rest = read === 0 ? {} : { Range: `bytes=${read}-`, ...(version ? { IfMatch: version } : {}) };
    const found = await client
      .send(new GetObjectCommand({ Bucket: bucket, Key: key, ...rest }))
      .catch((error: unknown) => Promise.reject(explain(error, 's3:GetObject', uri)));
    version = found.ETag;
    const before = read;
    try {
      for await (const piece of (found.Body ?? []) as AsyncIterable<Uint8Array>) {
        read += piece.byteLength;
        yield piece;
      }
      return;
    } catch (error) {
      breaks = read > before ? 0 : breaks + 1;
      if (breaks >= mostBreaks || version === undefined) throw explain(error, 's3:GetObject', uri);
    }
  }
}

/** Writes an object from pieces of unknown number, in parts where it is large; a failed one is taken back. */
export async function uploadPieces(
  client: S3Client,
  put: Omit<PutObjectCommandInput, 'Body'>,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  // Loaded late: functions write small objects and do not pay for it.
  const { Upload } = await import('../lazy/storage.ts');
  const body = Readable.from(pieces, { objectMode: false });
  const params = { ...put, Body: body } as PutObjectCommandInput;
  await new Upload({ client, params, partSize: partBytes, queueSize: 2 }).done();
}
