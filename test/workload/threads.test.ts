import { describe, expect, it } from 'vitest';
import { beginVectors, rateOf, type SkipGramOptions } from '../../lib/training/models/vectors/skip-gram.ts';
import { makePlanner, passageEnd } from '../../lib/training/models/vectors/skip-gram-chunk.ts';
import { makeMemory } from '../../lib/training/models/vectors/skip-gram-kernel.ts';
import { fillSigmoids, layoutOf } from '../../lib/training/models/vectors/skip-gram-memory.ts';
import { lossOf } from '../../lib/training/models/vectors/skip-gram-steps.ts';
import { startThreads } from '../../workload/ml-engine/threads.ts';

const words = 300;
const rows = Uint16Array.from({ length: 8_000 }, (_, at) =>
  at % 25 === 24 ? passageEnd : (Math.floor(at / 25) % 6) * 50 + ((at * at * 7) % 50),
);
const counts = Array.from({ length: words }, (_, row) => rows.filter((one) => one === row).length + 1);
const options: SkipGramOptions = {
  dimensions: 16,
  window: 5,
  negatives: 5,
  epochs: 2,
  learningRate: 0.1,
  seed: 3,
};

/** Trains on so many threads, with or without WebAssembly. */
async function trained(threads: number, plain = false) {
  const shape = { chunkRows: 1_000, partitions: 8 };
  const layout = layoutOf(words, options, shape, threads);
  const memory = makeMemory(layout.bytes, plain);
  const { buffer } = memory;
  fillSigmoids(buffer, layout);
  const input = new Float32Array(buffer, layout.input, (words * layout.stride) / 4);
  beginVectors(input, layout.stride / 4, options);
  const planner = makePlanner(buffer, layout, counts, options, shape);
  const team = await startThreads({ memory, layout, shape, options, threads });
  let loss = 0;
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    for (let at = 0; at < rows.length / shape.chunkRows; at += 1) {
      planner.plan(rows.subarray(at * shape.chunkRows, (at + 1) * shape.chunkRows), { epoch, at });
      team.train({ epoch, at }, rateOf(options, epoch, at / 8));
      loss += lossOf({ buffer, layout, shape });
    }
  }
  await team.close();
  return { loss, vectors: [...input] };
}

describe('the threads of a training', () => {
  it('give the same bits, however many they are and whatever runs the kernel', async () => {
    const alone = await trained(1);
    expect(alone.loss).toBeGreaterThan(0);
    expect(await trained(2)).toEqual(alone);
    expect(await trained(5)).toEqual(alone);
    expect(await trained(3, true)).toEqual(alone);
  }, 60_000);
});
