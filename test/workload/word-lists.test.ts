import { describe, expect, it } from 'vitest';
import { createFileObjectStore } from '../../lib/files/file-object-store.ts';
import { bestByWords, bestOf } from '../../lib/operations/models/best-hits.ts';
import { openSearch } from '../../lib/operations/models/search.ts';
import { WordLists } from '../../lib/operations/models/word-lists.ts';
import type { LiveModel } from '../../lib/training/models/model.ts';
import { Embedder } from '../../lib/training/models/vectors/embedder.ts';
import { encodeFlatIndex } from '../../lib/training/models/vectors/flat-index.ts';
import { QuestionWords } from '../../lib/training/models/vectors/lexical.ts';
import { tokenize } from '../../lib/training/models/vectors/tokens.ts';
import { encodeModel } from '../../lib/training/models/vectors/word-model.ts';
import { wordListNames } from '../../lib/training/models/word-list-files.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { WordListWriter } from '../../workload/ml-engine/word-lists.ts';
import { freshDir } from '../fresh-dir.ts';

const vocabulary = [
  ...['cache', 'caches', 'cached', 'caching', 'parcel', 'parcels', 'refund', 'river', 'rivers', 'ships'],
  ...['日本', '返品', 'işık', 'धनवापसी', 'ζωή', 'x86', '😀z', 'o-o', 'mock', 'agent', 'shipping', 'queries'],
];
const live = {
  tenantId: 'acme',
  modelUri: 's3://models/train/model.bin',
  indexUri: 's3://models/index/index.faiss',
  dataUri: 's3://models/data/',
} as LiveModel;
const dimensions = 3;

/** Documents of a few passages, some without a vector, in files of a few passages; and the same again with lists of their words. */
async function corpus(seed: number, segmentSize: number) {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const words = (most: number) =>
    Array.from({ length: 1 + random() * most }, () => pick(vocabulary)).join(' ');
  const passages = Array.from({ length: 30 }, (_, document) => {
    const source = `pages/${pick(['MockAgent', 'cache-rivers', `n${document}`, 'a'])}${document % 3}.md`;
    return Array.from({ length: 1 + random() * 4 }, () => ({
      source,
      text: random() < 0.1 ? 'zz' : words(40),
    }));
  })
    .flat()
    .map((one, number) => ({ id: `p${number}`, ...one }));
  const model = {
    modelType: 'skipgram',
    dimensions,
    words: vocabulary.map((word) => tokenize(word)[0] ?? word),
    counts: vocabulary.map(() => 2),
    vectors: Float32Array.from({ length: vocabulary.length * dimensions }, () => random() - 0.5),
  };
  const embedder = new Embedder(model);
  const objects = createFileObjectStore({ root: freshDir() });
  const lists = new WordListWriter(
    {
      write: async (name, body) => {
        await objects.put(`s3://models/index/${name}`, body);
        return '';
      },
    },
    segmentSize,
  );
  const rows: number[] = [];
  const vectors: number[] = [];
  for (const [number, passage] of passages.entries()) {
    if (number % 7 === 0) lists.beginFile(`passages-${number / 7}.jsonl`);
    const vector = embedder.embed(passage.text);
    if (vector) {
      rows.push(number);
      vectors.push(...vector);
      await lists.add(passage, tokenize(passage.text));
    } else lists.leaveOut();
  }
  await lists.close();
  for (let from = 0; from < passages.length; from += 7) {
    const lines = passages.slice(from, from + 7).map((one) => `${JSON.stringify(one)}\n`);
    await objects.put(`s3://models/data/passages-${from / 7}.jsonl`, lines.join(''));
  }
  await objects.put(live.modelUri, encodeModel(model));
  await objects.put(live.indexUri, encodeFlatIndex({ dimensions, vectors: Float32Array.from(vectors) }));
  const ids = rows.map((number) => passages[number]?.id);
  await objects.put('s3://models/index/ids.json', JSON.stringify(ids));
  return { objects, passages, rows, words, random };
}

const questions = [
  'caches',
  'mock agent',
  'the rivers of 日本',
  'refund parcels caching queries',
  'işık',
  'nowhere',
  '',
];

describe('the word lists of an index', () => {
  it.each([1, 2, 3])(
    'give every row the score that reading all passages gives, in one segment or in many (%i)',
    async (seed) => {
      for (const size of [20, 100_000]) {
        const { objects, passages, rows, words } = await corpus(seed, size);
        const lists = await WordLists.open(objects, live.indexUri, rows.length);
        for (const question of [...questions, words(6)]) {
          const read = new QuestionWords(question);
          for (const row of rows) read.add(passages[row] ?? { source: '', text: '' });
          expect([...((await lists?.scores(question)) ?? [])], question).toEqual([...read.scores()]);
        }
        for (const [row, number] of rows.entries()) expect(await lists?.passageOf(row)).toBe(number);
      }
    },
  );

  it('lead to the answers that reading everything leads to, of which the passages are not read', async () => {
    const { objects, words } = await corpus(4, 50);
    const asked = [...questions.slice(0, 5), ...Array.from({ length: 10 }, () => words(5))];
    const answers = async () => {
      const search = await openSearch(objects, live);
      return Promise.all(asked.flatMap((question) => [1, 3, 50].map((k) => search.ask(question, k))));
    };
    const listed = await answers();
    await objects.delete(`s3://models/index/${wordListNames.about}`);
    expect(listed).toEqual(await answers());
    expect(listed.flat().length).toBeGreaterThan(100);
  });

  it('of other rows than the index has are refused, and those of another version not read', async () => {
    const { objects, rows } = await corpus(5, 50);
    await expect(WordLists.open(objects, live.indexUri, rows.length + 1)).rejects.toMatchObject({
      code: 'DATA_COUNT',
    });
    await objects.put(`s3://models/index/${wordListNames.about}`, '{"version":2}');
    expect(await WordLists.open(objects, live.indexUri, rows.length)).toBeUndefined();
  });

  it('that are cut off are named', async () => {
    const { objects, rows } = await corpus(6, 100_000);
    const lists = await WordLists.open(objects, live.indexUri, rows.length);
    const uri = `s3://models/index/${wordListNames.segment(0)}`;
    await objects.put(uri, (await objects.get(uri)).subarray(0, 10));
    await expect(lists?.scores('caches parcels rivers refund')).rejects.toMatchObject({
      code: 'DATA_INDEX_CORRUPT',
    });
  });
});

describe('the best rows of those that words put near the best', () => {
  it('are the best of all, with few vectors read, ties in order of the rows', async () => {
    const random = seededRandom(7);
    for (let round = 0; round < 50; round += 1) {
      const count = 200;
      const cosines = Float32Array.from({ length: count }, () => Math.round(random() * 20 - 10) / 10);
      const lexical = Float32Array.from({ length: count }, () => Math.round(random() ** 4 * 10) / 10);
      const k = 1 + Math.floor(random() * 5);
      const reads = new Set<number>();
      const index = {
        scoreOne: async (_: Float32Array, row: number) => {
          reads.add(row);
          return cosines[row] ?? 0;
        },
      };
      const found = await bestByWords(index, lexical, new Float32Array(1), k);
      expect(found).toEqual(bestOf(lexical, cosines, k));
      expect(reads.size).toBeLessThan(count);
    }
  });

  it('are not looked for where words found less than are wanted', async () => {
    const index = { scoreOne: async () => 0 };
    const one = Float32Array.of(0, 1, 0, 0);
    expect(await bestByWords(index, one, new Float32Array(1), 2)).toBeUndefined();
    expect(await bestByWords(index, new Float32Array(4), new Float32Array(1), 1)).toBeUndefined();
  });
});
