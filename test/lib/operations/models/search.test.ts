import { describe, expect, it } from 'vitest';
import { NotFound } from '../../../../lib/errors/store-errors.ts';
import { openSearch, openVectorSearch } from '../../../../lib/operations/models/search.ts';
import type { LiveModel } from '../../../../lib/training/models/model.ts';
import { encodeFlatIndex } from '../../../../lib/training/models/vectors/flat-index.ts';
import { encodeModel } from '../../../../lib/training/models/vectors/word-model.ts';

const live = {
  tenantId: 'acme',
  modelUri: 's3://models/train/model.bin',
  indexUri: 's3://models/index/index.faiss',
  dataUri: 's3://models/data/',
} as LiveModel;

const passage = (id: string, text: string) => ({ id, source: `${id}.md`, text });
const all = [
  passage('p0', 'ships sail'),
  passage('p1', 'no vector'),
  passage('p2', 'trains run'),
  passage('p3', 'ships sink'),
  passage('p4', 'planes fly over ships'),
];

/** Objects that are read in pieces of some bytes, and what was read whole. */
function store(files: Readonly<Record<string, string | Uint8Array>>) {
  const bodies = new Map(
    Object.entries(files).map(([name, body]) => [`s3://models/${name}`, Buffer.from(body)]),
  );
  const [whole, streamed]: [string[], string[]] = [[], []];
  const bodyOf = (uri: string) => bodies.get(uri) ?? Buffer.alloc(0);
  const objects = {
    get: async (uri: string, { first }: { readonly first?: number } = {}) => {
      if (!bodies.has(uri)) throw new NotFound('OBJECT_NOT_FOUND', uri);
      if (first === undefined) whole.push(uri);
      return bodyOf(uri).subarray(0, first);
    },
    head: async (uri: string) => ({ uri, size: bodyOf(uri).length, modifiedAt: 0 }),
    list: async function* (prefix: string) {
      for (const [uri, { length }] of bodies)
        if (uri.startsWith(prefix)) yield { uri, size: length, modifiedAt: 0 };
    },
    stream: async function* (uri: string) {
      streamed.push(uri);
      const body = bodyOf(uri);
      for (let at = 0; at < body.length; at += 7) yield body.subarray(at, at + 7);
    },
  };
  return { objects, whole, streamed };
}

const linesOf = (from: number, to: number) =>
  all
    .slice(from, to)
    .map((each) => `${JSON.stringify(each)}\n`)
    .join('');
const vectors = Float32Array.of(1, 0, 0, 1, 1, 0, 0.6, 0.8);
const files = (over: Readonly<Record<string, string | Uint8Array>> = {}) => ({
  'train/model.bin': encodeModel({
    modelType: 'skipgram',
    dimensions: 2,
    words: ['ships', 'trains'],
    counts: [3, 1],
    vectors: Float32Array.of(1, 0, 0, 1),
  }),
  'index/index.faiss': encodeFlatIndex({ dimensions: 2, vectors }),
  'index/ids.json': JSON.stringify(['p0', 'p2', 'p3', 'p4'], null, 1),
  'data/passages-00000.jsonl': linesOf(0, 2),
  'data/passages-00001.jsonl': linesOf(2, 4),
  'data/passages-00002.jsonl': linesOf(4, 5),
  'data/manifest.json': '{}',
  ...over,
});

describe('a question to the live model', () => {
  it('reads passages and index in pieces, and again only the files of what is answered', async () => {
    const { objects, whole, streamed } = store(files());
    const answers = await (await openSearch(objects, live)).ask('when do trains run', 1);
    expect(answers).toMatchObject([{ id: 'p2', source: 'p2.md', text: 'trains run' }]);
    expect(whole).toEqual([live.modelUri]);
    const passagesRead = streamed.filter((uri) => uri.includes('passages')).map((uri) => uri.slice(-7, -6));
    expect(passagesRead).toEqual(['0', '1', '2', '1']);
  });

  it('is answered with the right passages where some have no vector', async () => {
    const search = await openSearch(store(files()).objects, live);
    expect((await search.ask('planes', 1))[0]?.id).toBe('p4');
    expect((await search.ask('ships', 9)).map(({ id }) => id).sort()).toEqual(['p0', 'p2', 'p3', 'p4']);
    await expect(search.ask('xyzzy', 3)).rejects.toMatchObject({ code: 'QUERY_UNKNOWN_WORDS' });
  });

  it.each([
    ['an id that the passages do not have', { 'index/ids.json': '["p0","p2","gone","p4"]' }, 'DATA_COUNT'],
    ['fewer ids than rows', { 'index/ids.json': '["p0","p2"]' }, 'DATA_COUNT'],
    ['more ids than rows', { 'index/ids.json': '["p0","p1","p2","p3","p4"]' }, 'DATA_COUNT'],
    [
      'a header that says more rows than there are',
      { 'index/index.faiss': encodeFlatIndex({ dimensions: 2, vectors }).subarray(0, 60) },
      'DATA_INDEX_CORRUPT',
    ],
  ])('is refused where the index has %s', async (_, over, code) => {
    const ask = async () => (await openSearch(store(files(over)).objects, live)).ask('ships', 1);
    await expect(ask()).rejects.toMatchObject({ code });
  });
});

describe('a question that somebody else embeds', () => {
  it('is answered by the nearest rows, whatever their ids and the order of the passages', async () => {
    const ids = ['"quoted"', 'ä\\', 'p2', 'p0'];
    const { objects, whole } = store(
      files({
        'index/ids.json': JSON.stringify(ids),
        'data/passages-00000.jsonl': ids
          .toReversed()
          .map((id) => `${JSON.stringify(passage(id, `of ${id}`))}\n`)
          .join(''),
      }),
    );
    const { nearest, dimensions } = await openVectorSearch(objects, live);
    expect(dimensions).toBe(2);
    expect((await nearest('q', Float32Array.of(0, 1), 2)).map(({ id, text }) => [id, text])).toEqual([
      ['ä\\', 'of ä\\'],
      ['p0', 'of p0'],
    ]);
    expect(whole).toEqual([]);
    await expect(nearest('q', Float32Array.of(1), 1)).rejects.toMatchObject({ code: 'DATA_DIMENSION' });
  });
});
