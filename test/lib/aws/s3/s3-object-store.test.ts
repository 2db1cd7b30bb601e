import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { partRanges } from '../../../../lib/aws/s3/copy-object.ts';
import { createS3ObjectStore } from '../../../../lib/aws/s3/s3-object-store.ts';

const s3 = mockClient(S3Client);
const store = createS3ObjectStore({ client: new S3Client({ region: 'us-west-2' }) });
const failing = (name: string) => Object.assign(new Error(name), { name });

afterEach(() => s3.reset());

describe('the S3 object store', () => {
  it('asks S3 for exactly what the port says', async () => {
    s3.on(GetObjectCommand).resolves({
      Body: { transformToByteArray: async () => new Uint8Array([1, 2]) } as never,
    });
    expect(await store.get('s3://data-bucket/acme/model.bin')).toEqual(new Uint8Array([1, 2]));
    await store.put('s3://data-bucket/acme/x.json', '{}', {
      contentType: 'application/json',
      ifAbsent: true,
    });
    await store.copy('s3://data-bucket/a b/ü.txt', 's3://data-bucket/to', { size: 3 });
    await store.delete('s3://data-bucket/acme/x.json');
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'data-bucket',
      Key: 'acme/model.bin',
    });
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'data-bucket',
      Key: 'acme/x.json',
      Body: '{}',
      ContentType: 'application/json',
      IfNoneMatch: '*',
    });
    expect(s3.commandCalls(CopyObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'data-bucket',
      Key: 'to',
      CopySource: 'data-bucket/a%20b/%C3%BC.txt',
      TaggingDirective: 'REPLACE',
    });
    expect(s3.commandCalls(DeleteObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'data-bucket',
      Key: 'acme/x.json',
    });
  });

  it('takes a stream up where its connection broke, on the same version of the object', async () => {
    async function* broken(text: string, breaks: boolean) {
      yield Buffer.from(text);
      if (breaks) throw failing('ECONNRESET');
    }
    s3.on(GetObjectCommand)
      .resolvesOnce({ ETag: '"1"', Body: broken('abc', true) as never })
      .resolves({ ETag: '"1"', Body: broken('def', false) as never });
    const read = await Array.fromAsync(store.stream('s3://data-bucket/acme/x'));
    expect(Buffer.concat(read).toString()).toBe('abcdef');
    expect(s3.commandCalls(GetObjectCommand)[1]?.args[0].input).toMatchObject({
      Range: 'bytes=3-',
      IfMatch: '"1"',
    });
  });

  it('uploads pieces as one object, in parts where they are many', async () => {
    async function* pieces(count: number) {
      for (let at = 0; at < count; at += 1) yield Buffer.alloc(1_048_576, at);
    }
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u' });
    s3.on(UploadPartCommand).resolves({ ETag: '"p"' });
    await store.put('s3://data-bucket/acme/small', pieces(2));
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({ Key: 'acme/small' });
    await store.put('s3://data-bucket/acme/runs/r1/prepare/1/large', pieces(40));
    expect(s3.commandCalls(CreateMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
      Key: 'acme/runs/r1/prepare/1/large',
      Tagging: 'epsilon-content=training',
    });
    expect(s3.commandCalls(UploadPartCommand)).toHaveLength(3);
  });

  it.each([
    ['acme/documents/guide/a.md', 'epsilon-content=raw'],
    ['acme/runs/r1/prepare/1/passages-00000.jsonl', 'epsilon-content=training'],
    ['acme/runs/r1/train/1/model.bin', undefined],
    ['acme/model.bin', undefined],
    ['acme/training_data/passages-00000.jsonl', undefined],
    ['documents/model.bin', undefined],
    ['runs/runs/prepare/train/1/model.bin', undefined],
    ['nights/2026-11-24/n1/tenants.json', undefined],
  ])('tags %s for the lifecycle rules with %s: a model never becomes cold', async (key, tags) => {
    await store.put(`s3://data-bucket/${key}`, 'x');
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input.Tagging).toBe(tags);
  });

  it('follows every page of a list', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce({ Contents: [{ Key: 'p/a', Size: 1 }], NextContinuationToken: 'next' })
      .resolvesOnce({ Contents: [{ Key: 'p/b', Size: 2 }] });
    expect(
      (await Array.fromAsync(store.list('s3://data-bucket/p/'))).map(({ uri, size }) => [uri, size]),
    ).toEqual([
      ['s3://data-bucket/p/a', 1],
      ['s3://data-bucket/p/b', 2],
    ]);
    expect(s3.commandCalls(ListObjectsV2Command)[1]?.args[0].input).toEqual({
      Bucket: 'data-bucket',
      Prefix: 'p/',
      ContinuationToken: 'next',
    });
  });

  it.each([
    ['NoSuchKey', { code: 'OBJECT_NOT_FOUND' }],
    ['SlowDown', { name: 'Throttled', retryable: true }],
    [
      'AccessDenied',
      {
        code: 'AWS_ACCESS_DENIED',
        details: { action: 's3:GetObject', resource: 's3://data-bucket/x' },
      },
    ],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('tells a get that fails with %s as the port does', async (name, told) => {
    s3.on(GetObjectCommand).rejects(failing(name));
    await expect(store.get('s3://data-bucket/x')).rejects.toMatchObject(told);
  });

  it('reads no more than is asked for, and nothing of an empty object', async () => {
    s3.on(GetObjectCommand).resolvesOnce({
      Body: { transformToByteArray: async () => new Uint8Array([1]) } as never,
    });
    expect(await store.get('s3://data-bucket/x', { first: 1 })).toEqual(new Uint8Array([1]));
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'data-bucket',
      Key: 'x',
      Range: 'bytes=0-0',
    });
    s3.on(GetObjectCommand).rejects(failing('InvalidRange'));
    expect(await store.get('s3://data-bucket/empty', { first: 1 })).toEqual(new Uint8Array());
  });

  it('tells a conditional write that lost, and a head of nothing', async () => {
    s3.on(PutObjectCommand).rejects(failing('PreconditionFailed'));
    await expect(store.put('s3://data-bucket/x', 'y', { ifAbsent: true })).rejects.toMatchObject({
      name: 'ConditionFailed',
    });
    s3.on(HeadObjectCommand).rejects(failing('NotFound'));
    expect(await store.head('s3://data-bucket/x')).toBeUndefined();
  });

  it('refuses places before it asks S3', async () => {
    await expect(store.get('s3://data-bucket/../x')).rejects.toMatchObject({ code: 'OBJECT_URI_INVALID' });
    await expect(Array.fromAsync(store.list('s3://data-bucket/t1'))).rejects.toMatchObject({
      code: 'PREFIX_UNSAFE',
    });
    expect(s3.calls()).toHaveLength(0);
  });
});

describe('a copy within S3', () => {
  const from = 's3://data-bucket/acme/runs/r1/train/1/model.bin';
  const to = 's3://data-bucket/acme/model.bin';
  const gibibyte = 1_073_741_824;

  /** S3 holds a source of so many bytes; a part is answered by its number. */
  function holding(size: number): void {
    s3.on(HeadObjectCommand).resolves({ ContentLength: size, ETag: '"source"', ContentType: 'model/x' });
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'upload' });
    s3.on(UploadPartCopyCommand).callsFake(({ PartNumber }: { PartNumber: number }) => ({
      CopyPartResult: { ETag: `"part-${PartNumber}"` },
    }));
    s3.on(CompleteMultipartUploadCommand).resolves({});
    s3.on(AbortMultipartUploadCommand).resolves({});
  }

  it('asks for the size where it is not told, and copies what is small by one call', async () => {
    holding(128 * 1_048_576);
    s3.on(CopyObjectCommand).resolves({});
    await store.copy(from, to);
    expect(s3.commandCalls(HeadObjectCommand)).toHaveLength(1);
    expect(s3.commandCalls(CopyObjectCommand)).toHaveLength(1);
    expect(s3.commandCalls(CreateMultipartUploadCommand)).toEqual([]);
  });

  it('copies an object beyond 5 GiB part by part, every byte once, all of one version of it', async () => {
    const size = 6 * gibibyte + 1;
    holding(size);
    await store.copy(from, to, { size });
    expect(s3.commandCalls(CopyObjectCommand)).toEqual([]);
    expect(s3.commandCalls(CreateMultipartUploadCommand)[0]?.args[0].input).toEqual({
      Bucket: 'data-bucket',
      Key: 'acme/model.bin',
      ContentType: 'model/x',
    });
    const parts = s3.commandCalls(UploadPartCopyCommand).map((each) => each.args[0].input);
    let next = 0;
    for (const { CopySourceRange = '' } of parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))) {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(CopySourceRange) ?? [];
      expect(Number(first)).toBe(next);
      next = Number(last) + 1;
    }
    expect(next).toBe(size);
    for (const part of parts)
      expect(part).toMatchObject({
        UploadId: 'upload',
        CopySource: 'data-bucket/acme/runs/r1/train/1/model.bin',
        CopySourceIfMatch: '"source"',
      });
    const { MultipartUpload } = s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input ?? {};
    expect(MultipartUpload?.Parts).toEqual(
      parts.map(({ PartNumber }) => ({ PartNumber, ETag: `"part-${PartNumber}"` })),
    );
  });

  it('gives up the upload when a part is refused, once no other part is under way', async () => {
    holding(4 * gibibyte);
    let underWay = 0;
    s3.on(UploadPartCopyCommand).callsFake(async ({ PartNumber }: { PartNumber: number }) => {
      underWay += 1;
      await new Promise<void>((resolve) => setImmediate(resolve));
      underWay -= 1;
      if (PartNumber === 3) throw failing('SlowDown');
      return { CopyPartResult: { ETag: 'e' } };
    });
    s3.on(AbortMultipartUploadCommand).callsFake(async () => {
      expect(underWay).toBe(0);
      return {};
    });
    await expect(store.copy(from, to)).rejects.toMatchObject({ code: 'THROTTLED' });
    expect(s3.commandCalls(AbortMultipartUploadCommand)).toHaveLength(1);
    expect(s3.commandCalls(CompleteMultipartUploadCommand)).toEqual([]);
    expect(s3.commandCalls(UploadPartCopyCommand).length).toBeLessThan(32);
  });

  it.each([
    ['small', CopyObjectCommand, 1],
    ['large', HeadObjectCommand, 6 * gibibyte],
  ])('names the source when that is missing: a %s one', async (_, command, size) => {
    s3.on(command as typeof CopyObjectCommand).rejects(failing('NoSuchKey'));
    await expect(store.copy(from, to, { size })).rejects.toMatchObject({
      code: 'OBJECT_NOT_FOUND',
      message: expect.stringContaining('runs/r1'),
    });
  });

  it('needs no more than 10,000 parts for the largest object there is', () => {
    const largest = 10_000 * 5 * gibibyte;
    const ranges = partRanges(largest);
    expect(ranges.length).toBeLessThanOrEqual(10_000);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(ranges[0] ?? '') ?? [];
    expect(Number(last) - Number(first) + 1).toBeLessThanOrEqual(5 * gibibyte);
    expect(ranges.at(-1)?.endsWith(`-${largest - 1}`)).toBe(true);
  });
});
