import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Embedder } from '../../../../../lib/training/models/vectors/embedder.ts';
import {
  decodeFlatIndex,
  encodeFlatIndex,
  readFlatRows,
  search,
} from '../../../../../lib/training/models/vectors/flat-index.ts';
import { tokenize } from '../../../../../lib/training/models/vectors/tokens.ts';
import { decodeModel, encodeModel } from '../../../../../lib/training/models/vectors/word-model.ts';

const model = {
  modelType: 'skipgram',
  dimensions: 2,
  words: ['cat', 'dog'],
  counts: [3, 1],
  vectors: Float32Array.of(1, 0, 0, 1),
};

describe('model.bin', () => {
  it('reads back as it was written', () => {
    expect(decodeModel(encodeModel(model))).toEqual(model);
  });

  it('is refused when any one byte of it has changed', () => {
    const bytes = encodeModel(model);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(() => decodeModel(changed)).toThrow(expect.objectContaining({ code: 'DATA_MODEL_CORRUPT' }));
      }),
    );
  });
});

describe('model.bin with a right checksum', () => {
  it.each([
    ['no dimensions', { dimensions: 0, vectors: new Float32Array() }],
    ['fewer counts than words', { counts: [1] }],
    ['a word that never occurred', { counts: [0, 1] }],
    ['a vector of NaN', { vectors: Float32Array.of(1, Number.NaN, 0, 1) }],
    ['a vector too few', { vectors: Float32Array.of(1, 0) }],
  ])('is refused with %s', (_, change) => {
    expect(() => decodeModel(encodeModel({ ...model, ...change }))).toThrow(
      expect.objectContaining({ code: 'DATA_MODEL_CORRUPT' }),
    );
  });
});

describe('the flat index', () => {
  it("has FAISS's header: mark, dimensions, count, inner product, floats", () => {
    const file = Buffer.from(encodeFlatIndex({ dimensions: 2, vectors: Float32Array.of(1, 0, 0, 1, 1, 1) }));
    expect(file.subarray(0, 4).toString('latin1')).toBe('IxFI');
    expect(file.readInt32LE(4)).toBe(2);
    expect(file.readBigInt64LE(8)).toBe(3n);
    expect(file.readUInt8(32)).toBe(1);
    expect(file.readInt32LE(33)).toBe(0);
    expect(file.readBigUInt64LE(37)).toBe(6n);
    expect(file).toHaveLength(45 + 24);
  });

  it('is refused when it is cut, foreign or of another metric', () => {
    const file = Buffer.from(encodeFlatIndex({ dimensions: 2, vectors: Float32Array.of(1, 0) }));
    const metric = Buffer.from(file);
    metric.writeInt32LE(1, 33);
    for (const bad of [file.subarray(0, -1), Buffer.from('nothing'), metric]) {
      expect(() => decodeFlatIndex(bad)).toThrow(expect.objectContaining({ code: 'DATA_INDEX_CORRUPT' }));
    }
  });

  const header = (change: (file: Buffer) => void) => {
    const file = Buffer.from(encodeFlatIndex({ dimensions: 2, vectors: Float32Array.of(1, 0, 0, 1) }));
    change(file);
    return file;
  };

  const damaged: readonly (readonly [string, Buffer])[] = [
    ['no dimensions', header((file) => file.writeInt32LE(0, 4))],
    [
      'negative dimensions and rows whose product fits',
      header((file) => {
        file.writeInt32LE(-2, 4);
        file.writeBigInt64LE(-2n, 8);
      }),
    ],
    ['more dimensions than there can be', header((file) => file.writeInt32LE(2 ** 30, 4))],
    ['a number of rows that no number can hold', header((file) => file.writeBigInt64LE(2n ** 62n, 8))],
    ['the mark of an index that is not trained', header((file) => file.writeUInt8(0, 32))],
    ['a row of NaN', header((file) => file.writeFloatLE(Number.NaN, 45))],
    ['an infinite value', header((file) => file.writeFloatLE(Number.NEGATIVE_INFINITY, 57))],
    ['a header alone', header(() => {}).subarray(0, 45)],
    ['half a header', header(() => {}).subarray(0, 20)],
    ['nothing', Buffer.alloc(0)],
    ['a row too many', Buffer.concat([header(() => {}), Buffer.alloc(8)])],
  ];

  async function* pieces(file: Buffer, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
  }

  it.each(damaged)('is refused with %s, whole and as a stream', async (_, file) => {
    const refusal = expect.objectContaining({ code: 'DATA_INDEX_CORRUPT' });
    expect(() => decodeFlatIndex(file)).toThrow(refusal);
    for (const size of [1, 7, 1_000])
      await expect(Array.fromAsync(readFlatRows(pieces(file, size)))).rejects.toEqual(refusal);
  });

  it('reads as a stream what it holds as a whole, however it is cut', async () => {
    const index = { dimensions: 3, vectors: Float32Array.from({ length: 60 }, (_, at) => at / 7) };
    const file = Buffer.from(encodeFlatIndex(index));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (size) => {
        const parts = await Array.fromAsync(readFlatRows(pieces(file, size)));
        expect(parts.flatMap(({ vectors }) => [...vectors])).toEqual([...index.vectors]);
        expect(parts.map(({ firstRow, vectors }) => firstRow + vectors.length / 3).at(-1)).toBe(20);
      }),
      { numRuns: 50 },
    );
  });

  it('finds what a full sort finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 10 }),
        (rows, k) => {
          const index = { dimensions: 2, vectors: Float32Array.from(rows.flat()) };
          const query = Float32Array.of(2, -1);
          const expected = rows
            .map(([x, y], row) => ({ row, score: 2 * x - y }))
            .sort((a, b) => b.score - a.score || a.row - b.row)
            .slice(0, k);
          expect(search(index, query, k)).toEqual(expected);
        },
      ),
    );
  });

  it('refuses a query of other dimensions', () => {
    expect(() => search({ dimensions: 2, vectors: Float32Array.of(1, 0) }, Float32Array.of(1), 1)).toThrow(
      expect.objectContaining({ code: 'DATA_DIMENSION' }),
    );
  });
});

describe('the embedder', () => {
  it('gives unit vectors and nothing for unknown words', () => {
    const embedder = new Embedder(model);
    expect(Math.hypot(...(embedder.embed('the cat and the dog') ?? []))).toBeCloseTo(1, 6);
    expect(embedder.embed('zebra')).toBeUndefined();
  });

  it('weighs rare words more than frequent ones', () => {
    const [cat = 0, dog = 0] = new Embedder(model).embed('cat dog') ?? [];
    expect(dog).toBeGreaterThan(cat);
  });
});

describe('tokenize', () => {
  it.each([
    [
      'any alphabet, lower case, with inner marks',
      'Größe der snake_case-Namen: v1.2, 日本語!',
      ['größe', 'der', 'snake_case-namen', 'v1.2', '日本語'],
    ],
    ['Hindi with its vowel signs', 'हिन्दी भाषा', ['हिन्दी', 'भाषा']],
    ['Thai, which has no blanks', 'ภาษาไทย', ['ภาษา', 'ไทย']],
    ['Chinese, single characters too', '今天去北京', ['今天', '去', '北京']],
    ['mixed scripts', '编程python3', ['编', '程', 'python3']],
    ['Persian with joiners', 'می\u200cخواهم', ['می\u200cخواهم']],
    [
      'both cases of the Turkish letters i',
      'İSTANBUL istanbul ISPARTA ısparta',
      ['istanbul', 'istanbul', 'isparta', 'isparta'],
    ],
    ['composed and decomposed spelling alike', 'cafe\u0301 café', ['café', 'café']],
    ['final sigma as any other', 'ΟΔΟΣ οδος οδοσ', ['οδοσ', 'οδοσ', 'οδοσ']],
    ['no emoji and no lone letters', '👍🏽 a b', []],
  ])('knows %s', (_, text, words) => {
    expect(tokenize(text)).toEqual(words);
  });

  it('keeps every script whose letters carry marks in one piece', () => {
    for (const word of ['தமிழ்', 'বাংলা', 'తెలుగు', 'ಕನ್ನಡ', 'മലയാളം', 'ਪੰਜਾਬੀ', 'ગુજરાતી', 'עִבְרִית', 'العَرَبِيَّة', 'བོད'])
      expect(tokenize(`${word}, ${word}`)).toEqual([word.normalize('NFC'), word.normalize('NFC')]);
  });
});
