import { next } from './skip-gram.ts';
import {
  type Bucket,
  type Kernel,
  type SkipGramLayout,
  sigmoidEntries,
  sigmoidReach,
  sigmoidScale,
  sigmoidSteps,
} from './skip-gram-memory.ts';

const { fround } = Math;

/** Sums of a dot product side by side: four vectors of four lanes. */
const sums = 16;

/** The memory of a training as arrays; places are in floats. */
interface Views {
  readonly floats: Float32Array;
  readonly words: Uint32Array;
  readonly stride: number;
  readonly partial: Float32Array;
}

const at = (values: Float32Array, index: number): number => values[index] as number;

/** Rounded to 32 bits after each operation and summed in the order of the kernel in WebAssembly: the same bits. */
function dot({ floats, stride, partial }: Views, row: number, column: number): number {
  partial.fill(0);
  for (let index = 0; index < stride; index += 1) {
    const lane = index % sums;
    partial[lane] = fround(at(partial, lane) + fround(at(floats, row + index) * at(floats, column + index)));
  }
  const lane = (index: number) =>
    fround(
      fround(at(partial, index) + at(partial, index + 4)) +
        fround(at(partial, index + 8) + at(partial, index + 12)),
    );
  return fround(fround(lane(0) + lane(1)) + fround(lane(2) + lane(3)));
}

/** Place of a dot product in the sigmoid table. */
function binOf(product: number): number {
  const scaled = fround(fround(product + sigmoidReach) * sigmoidScale);
  return (Math.floor(Math.max(Math.min(scaled, sigmoidSteps), -1)) | 0) + 1;
}

/** A pair's samples: columns and steps, as many as `count` says. */
interface Entries {
  readonly columns: Int32Array;
  readonly steps: Float32Array;
  count: number;
}

function update({ floats, stride }: Views, row: number, { columns, steps, count }: Entries): void {
  for (let index = 0; index < stride; index += 1) {
    const old = at(floats, row + index);
    let moved = old;
    for (let entry = 0; entry < count; entry += 1) {
      const column = (columns[entry] as number) + index;
      const step = at(steps, entry);
      moved = fround(moved + fround(step * at(floats, column)));
      floats[column] = fround(at(floats, column) + fround(step * old));
    }
    floats[row + index] = moved;
  }
}

/** The kernel in TypeScript, for where WebAssembly's SIMD is missing: many times slower, the same bits. */
export function plainKernel(buffer: SharedArrayBuffer, layout: SkipGramLayout, negatives: number): Kernel {
  const views: Views = {
    floats: new Float32Array(buffer),
    words: new Uint32Array(buffer),
    stride: layout.stride / 4,
    partial: new Float32Array(sums),
  };
  const { floats, words, stride } = views;
  const [input, output, sigmoids] = [layout.input / 4, layout.output / 4, layout.sigmoids / 4];
  const entries: Entries = {
    columns: new Int32Array(negatives + 1),
    steps: new Float32Array(negatives + 1),
    count: 0,
  };
  return ({ pairs, count, rate, random: seed, table, tableSize }: Bucket) => {
    let random = seed;
    let loss = 0;
    for (let pair = pairs / 4; pair < pairs / 4 + count * 2; pair += 2) {
      const row = input + (words[pair] as number) * stride;
      const centre = words[pair + 1] as number;
      entries.count = 0;
      for (let sample = 0; sample <= negatives; sample += 1) {
        let target = centre;
        if (sample > 0) {
          random = next(random);
          target = words[table / 4 + (random & (tableSize - 1))] as number;
          if (target === centre) continue;
        }
        const column = output + target * stride;
        const bin = sigmoids + binOf(dot(views, row, column));
        const label = sample === 0 ? 1 : 0;
        loss += at(floats, bin + (label === 1 ? 1 : 2) * sigmoidEntries);
        entries.columns[entries.count] = column;
        entries.steps[entries.count] = fround(fround(label - at(floats, bin)) * rate);
        entries.count += 1;
      }
      update(views, row, entries);
    }
    return loss;
  };
}
