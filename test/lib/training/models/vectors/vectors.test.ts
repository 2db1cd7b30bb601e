import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Embedder } from '../../../../../lib/training/models/vectors/embedder.ts';
import {
  decodeFlatIndex,
  encodeFlatIndex,
  search,
} from '../../../../../lib/training/models/vectors/flat-index.ts';
import {
  beginSkipGram,
  planEpoch,
  trainSlice,
} from '../../../../../lib/training/models/vectors/skip-gram.ts';
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
  it('keeps words of any alphabet, lower case, with inner marks', () => {
    expect(tokenize('Größe der snake_case-Namen: v1.2, 日本語!')).toEqual([
      'größe',
      'der',
      'snake_case-namen',
      'v1.2',
      '日本語',
    ]);
  });
});

describe('an epoch of skip-gram', () => {
  const options = {
    dimensions: 4,
    window: 3,
    negatives: 2,
    epochs: 2,
    learningRate: 0.1,
    seed: 5,
  };
  const rows = Int32Array.from({ length: 200 }, (_, at) => (at % 20 === 19 ? -1 : (at * 7) % 23));
  const counts = Array.from({ length: 23 }, (_, row) => rows.filter((one) => one === row).length + 1);

  /** Trains all epochs in slices as long as `slices` says in turn, planning anew before each as after a restart. */
  function trained(slices: readonly number[]) {
    const state = beginSkipGram(counts.length, options);
    const losses: number[] = [];
    for (let turn = 0; state.epoch < options.epochs; turn += 1) {
      const plan = planEpoch(rows, counts, state);
      const loss = trainSlice(plan, state, options, slices[turn % slices.length] ?? 1);
      if (loss !== undefined) losses.push(loss);
    }
    return { state, losses };
  }

  it('is the same however it is cut and wherever it is taken up again', () => {
    const whole = trained([1_000]);
    expect(whole.losses).toHaveLength(2);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }), (slices) => {
        expect(trained(slices)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});
