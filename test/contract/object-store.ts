import { describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../lib/ports/object-store.ts';

const text = async (store: ObjectStore, uri: string) => new TextDecoder().decode(await store.get(uri));

/** What every ObjectStore must do. */
export function describeObjectStore(name: string, make: () => Promise<ObjectStore>): void {
  describe(`ObjectStore: ${name}`, () => {
    it('a stored object is read back whole', async () => {
      const store = await make();
      await store.put('s3://bucket-a/x/y.txt', 'hello');
      await store.put('s3://bucket-a/x/y.txt', new Uint8Array([104, 105]));
      expect(await text(store, 's3://bucket-a/x/y.txt')).toBe('hi');
      expect(await store.head('s3://bucket-a/x/y.txt')).toMatchObject({ size: 2 });
      expect(await store.head('s3://bucket-a/x')).toBeUndefined();
    });

    it('a ranged read fetches no more of an object than is asked for', async () => {
      const store = await make();
      await store.put('s3://bucket-a/long', 'hello');
      await store.put('s3://bucket-a/empty', '');
      const first = async (uri: string, bytes: number) =>
        new TextDecoder().decode(await store.get(uri, { first: bytes }));
      expect(await first('s3://bucket-a/long', 2)).toBe('he');
      expect(await first('s3://bucket-a/long', 99)).toBe('hello');
      expect(await first('s3://bucket-a/empty', 2)).toBe('');
      const part = await store.get('s3://bucket-a/long', { from: 3, first: 9 });
      expect(new TextDecoder().decode(part)).toBe('lo');
      expect(await store.get('s3://bucket-a/long', { from: 5, first: 1 })).toHaveLength(0);
    });

    it('writes and reads an object in pieces, and leaves none where the pieces fail', async () => {
      const store = await make();
      const piece = Buffer.alloc(300_000, 'ab');
      async function* pieces(fails: boolean): AsyncGenerator<Uint8Array> {
        yield piece;
        if (fails) throw new Error('no more');
        yield piece;
      }
      await store.put('s3://bucket-a/large', pieces(false));
      const read = await Array.fromAsync(store.stream('s3://bucket-a/large'));
      expect(read.length).toBeGreaterThan(1);
      expect(Buffer.concat(read).equals(Buffer.concat([piece, piece]))).toBe(true);
      await expect(store.put('s3://bucket-a/half', pieces(true))).rejects.toThrow('no more');
      expect(await store.head('s3://bucket-a/half')).toBeUndefined();
      await expect(Array.fromAsync(store.stream('s3://bucket-a/nothing'))).rejects.toMatchObject({
        code: 'OBJECT_NOT_FOUND',
      });
    });

    it('a read of a missing object names it', async () => {
      const store = await make();
      await expect(store.get('s3://bucket-a/nothing')).rejects.toMatchObject({
        code: 'OBJECT_NOT_FOUND',
        message: expect.stringContaining('s3://bucket-a/nothing'),
      });
    });

    it('a write with ifAbsent succeeds once only', async () => {
      const store = await make();
      await store.put('s3://bucket-a/once', 'first', { ifAbsent: true });
      await expect(store.put('s3://bucket-a/once', 'second', { ifAbsent: true })).rejects.toMatchObject({
        name: 'ConditionFailed',
      });
      expect(await text(store, 's3://bucket-a/once')).toBe('first');
    });

    it('B22: a prefix is listed in key order, without neighbours that begin alike', async () => {
      const store = await make();
      for (const key of ['t1/b', 't1/a/z', 't10/a', 't1/a.txt']) await store.put(`s3://bucket-a/${key}`, key);
      const uris = (await Array.fromAsync(store.list('s3://bucket-a/t1/'))).map((object) => object.uri);
      expect(uris).toEqual(['s3://bucket-a/t1/a.txt', 's3://bucket-a/t1/a/z', 's3://bucket-a/t1/b']);
      const after = await Array.fromAsync(store.list('s3://bucket-a/t1/', { after: 'a.txt' }));
      expect(after.map((object) => object.uri)).toEqual(uris.slice(1));
      expect(() => store.list('s3://bucket-a/t1')[Symbol.asyncIterator]().next()).toThrow(
        expect.objectContaining({ code: 'PREFIX_UNSAFE' }),
      );
    });

    it('objects are copied and deleted; deleting nothing is no error', async () => {
      const store = await make();
      await store.put('s3://bucket-a/from', 'x');
      await store.copy('s3://bucket-a/from', 's3://bucket-b/to');
      await store.delete('s3://bucket-a/from');
      await store.delete('s3://bucket-a/from');
      expect(await text(store, 's3://bucket-b/to')).toBe('x');
      await expect(store.copy('s3://bucket-a/from', 's3://bucket-b/to2')).rejects.toMatchObject({
        code: 'OBJECT_NOT_FOUND',
      });
    });

    it.each([
      'http://x/y',
      's3://B/y',
      's3://bucket-a/../y',
      's3://bucket-a/x/../../y',
      's3:///y',
      's3://bucket-a/a\\b',
    ])('the store refuses %s', async (uri) => {
      const store = await make();
      await expect(store.put(uri, 'x')).rejects.toMatchObject({ code: 'OBJECT_URI_INVALID' });
    });
  });
}
