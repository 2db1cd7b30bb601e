import { describe, expect, it } from 'vitest';
import {
  beginVectors,
  rateOf,
  type SkipGramOptions,
  type SkipGramShape,
  shapeOf,
} from '../../../../../lib/training/models/vectors/skip-gram.ts';
import { makePlanner, passageEnd } from '../../../../../lib/training/models/vectors/skip-gram-chunk.ts';
import {
  kernelModule,
  makeKernel,
  makeMemory,
} from '../../../../../lib/training/models/vectors/skip-gram-kernel.ts';
import {
  fillSigmoids,
  layoutOf,
  tableSizeOf,
} from '../../../../../lib/training/models/vectors/skip-gram-memory.ts';
import { lossOf, trainShare } from '../../../../../lib/training/models/vectors/skip-gram-steps.ts';

const words = 400;
/** Passages of 24 words, each about one of eight subjects of 50 words. */
const rows = Uint16Array.from({ length: 6_000 }, (_, at) =>
  at % 25 === 24 ? passageEnd : (Math.floor(at / 25) % 8) * 50 + ((at * at * 7) % 50),
);
const counts = Array.from({ length: words }, (_, row) => rows.filter((one) => one === row).length + 1);
const options: SkipGramOptions = {
  dimensions: 20,
  window: 3,
  negatives: 4,
  epochs: 3,
  learningRate: 0.1,
  seed: 5,
};
const shape: SkipGramShape = { chunkRows: 256, partitions: 4 };

/** Trains all epochs with one thread. */
function trained(choices: Partial<SkipGramOptions> & { readonly plain?: boolean }) {
  const { plain = false, ...changes } = choices;
  const wanted = { ...options, ...changes };
  const layout = layoutOf(words, wanted, shape, 1);
  const memory = makeMemory(layout.bytes, plain);
  const { buffer } = memory;
  fillSigmoids(buffer, layout);
  const input = new Float32Array(buffer, layout.input, (words * layout.stride) / 4);
  beginVectors(input, layout.stride / 4, wanted);
  const kernel = makeKernel(memory, layout, wanted.negatives);
  const planner = makePlanner(buffer, layout, counts, wanted, shape);
  const losses: number[] = [];
  for (let epoch = 0; epoch < wanted.epochs; epoch += 1) {
    let [loss, pairs] = [0, 0];
    for (let at = 0; at * shape.chunkRows < rows.length; at += 1) {
      const from = at * shape.chunkRows;
      pairs += planner.plan(rows.subarray(from, from + shape.chunkRows), { epoch, at });
      const share = { buffer, layout, shape, options: wanted, kernel, thread: 0, threads: 1, meet: () => {} };
      trainShare(share, { epoch, at }, rateOf(wanted, epoch, from / rows.length));
      loss += lossOf(share);
    }
    losses.push(loss / pairs);
  }
  return { losses, vectors: [...input], wasm: memory.wasm !== undefined };
}

describe('skip-gram', () => {
  it('runs in WebAssembly here, and its module is the same bytes every time', () => {
    expect(trained({ epochs: 1 }).wasm).toBe(true);
    expect(kernelModule(3)).toEqual(kernelModule(3));
  });

  it.each([2, 16, 20, 64, 100])(
    'gives the same bits in TypeScript and in WebAssembly: %i dimensions',
    (dimensions) => {
      const simd = trained({ dimensions });
      expect(trained({ dimensions, plain: true })).toEqual({ ...simd, wasm: false });
      expect(simd.losses.at(-1)).toBeLessThan(simd.losses[0] ?? 0);
    },
  );

  it('gives other vectors for another seed', () => {
    expect(trained({ seed: 6 }).vectors).not.toEqual(trained({}).vectors);
  });

  it('keeps the padding of its rows at zero', () => {
    const { vectors } = trained({});
    const stride = vectors.length / words;
    expect(stride).toBe(32);
    expect(vectors.filter((_, at) => at % stride >= options.dimensions).every((value) => value === 0)).toBe(
      true,
    );
  });

  it('is cut by the size of the corpus alone', () => {
    expect(shapeOf(1_000)).toEqual({ chunkRows: 2_048, partitions: 1 });
    expect(shapeOf(10_000_000)).toEqual({ chunkRows: 65_536, partitions: 8 });
  });

  it('refuses a model that no memory holds', () => {
    expect(() => layoutOf(2_000_000, { ...options, dimensions: 4_096 }, shape, 1)).toThrow(
      expect.objectContaining({ code: 'DATA_MODEL_TOO_LARGE' }),
    );
  });
});

describe('the planner of chunks', () => {
  it('sorts every pair of neighbours into the bucket of its partitions, and none across a passage end', () => {
    const layout = layoutOf(words, options, shape, 1);
    const buffer = new SharedArrayBuffer(layout.bytes);
    const planner = makePlanner(buffer, layout, counts, options, shape);
    const pairs = planner.plan(rows.subarray(0, 256), { epoch: 0, at: 0 });
    const starts = [...new Uint32Array(buffer, layout.starts, shape.partitions ** 2 + 1)];
    const all = new Uint32Array(buffer, layout.pairs, pairs * 2);
    expect(starts.at(-1)).toBe(pairs);
    expect(pairs).toBeGreaterThan(100);
    const partition = new Map<number, number>();
    for (let bucket = 0; bucket < shape.partitions ** 2; bucket += 1) {
      for (let pair = starts[bucket] ?? 0; pair < (starts[bucket + 1] ?? 0); pair += 1) {
        for (const [row, part] of [
          [all[pair * 2] ?? -1, Math.floor(bucket / shape.partitions)],
          [all[pair * 2 + 1] ?? -1, bucket % shape.partitions],
        ] as const) {
          expect(partition.get(row) ?? part).toBe(part);
          partition.set(row, part);
        }
      }
    }
    const tableSize = tableSizeOf(shape);
    for (const part of [0, 1, 2, 3]) {
      const drawn = new Set(new Uint32Array(buffer, layout.tables + part * tableSize * 4, tableSize));
      expect(drawn.size).toBe(words / shape.partitions);
      for (const [row, own] of partition) expect(drawn.has(row)).toBe(own === part);
    }
  });
});
