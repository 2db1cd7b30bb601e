import { EpsilonError } from '../../../errors/epsilon-error.ts';
import { bucketsOf, type SkipGramOptions, type SkipGramShape } from './skip-gram.ts';

/** Steps of the sigmoid table between -6 and 6, with one more step at either end for all that lies beyond. */
export const sigmoidSteps = 1_024;
/** Beyond this the sigmoid counts as 0 or 1. */
export const sigmoidReach = 6;
/** Scale from a dot product to a step of the sigmoid table. */
export const sigmoidScale = Math.fround(sigmoidSteps / (2 * sigmoidReach));
/** Entries of each of the three tables: sigmoid, loss of a word that is there, loss of one that is not. */
export const sigmoidEntries = sigmoidSteps + 2;

/** Floats of a row are padded with zeros to a multiple of this: one cache line. */
const lineFloats = 16;

/** Entries of a partition's table of negative samples. */
export function tableSizeOf({ partitions }: SkipGramShape): number {
  return partitions === 1 ? 1 << 18 : 1 << 15;
}

/** Where everything lies in the memory that all threads of a training share, in bytes. */
export interface SkipGramLayout {
  /** Bytes of a row. */
  readonly stride: number;
  readonly sigmoids: number;
  readonly input: number;
  readonly output: number;
  readonly tables: number;
  readonly pairs: number;
  /** Place of each bucket's first pair, and the end, as u32. */
  readonly starts: number;
  /** Loss of each bucket, as f64. */
  readonly losses: number;
  /** Scratch of each thread. */
  readonly scratch: number;
  readonly scratchBytes: number;
  /** 16 words for the threads to agree on. */
  readonly control: number;
  readonly bytes: number;
}

/** Largest memory of WebAssembly, 4 GiB. */
const largestMemory = 2 ** 32;

/** Lays out the memory of a training; throws `DATA_MODEL_TOO_LARGE` when words and dimensions exceed 4 GiB. */
export function layoutOf(
  words: number,
  { dimensions, window, negatives }: SkipGramOptions,
  shape: SkipGramShape,
  threads: number,
): SkipGramLayout {
  let bytes = 0;
  const place = (size: number): number => {
    const at = bytes;
    bytes += Math.ceil(size / 64) * 64;
    return at;
  };
  const stride = Math.ceil(dimensions / lineFloats) * lineFloats * 4;
  const buckets = bucketsOf(shape);
  const scratchBytes = Math.ceil(((negatives + 1) * 32) / 64) * 64;
  const layout = {
    stride,
    sigmoids: place(3 * sigmoidEntries * 4),
    input: place(words * stride),
    output: place(words * stride),
    tables: place(shape.partitions * tableSizeOf(shape) * 4),
    pairs: place(shape.chunkRows * 2 * window * 8),
    starts: place((buckets + 1) * 4),
    losses: place(buckets * 8),
    scratch: place(threads * scratchBytes),
    scratchBytes,
    control: place(64),
  };
  if (bytes > largestMemory)
    throw new EpsilonError(
      'DATA_MODEL_TOO_LARGE',
      `${words} words of ${dimensions} dimensions need ${Math.ceil(bytes / 2 ** 20)} MiB, more than 4,096.`,
    );
  return { ...layout, bytes };
}

/** Fills the tables: sigmoid, -log(sigmoid), -log(1 - sigmoid), each bounded as Mikolov's word2vec bounds them. */
export function fillSigmoids(buffer: SharedArrayBuffer, { sigmoids }: SkipGramLayout): void {
  const table = new Float32Array(buffer, sigmoids, 3 * sigmoidEntries);
  for (let index = 0; index < sigmoidEntries; index += 1) {
    const x = (((index - 1) / sigmoidSteps) * 2 - 1) * sigmoidReach;
    const value = index === 0 ? 0 : index === sigmoidEntries - 1 ? 1 : 1 / (1 + Math.exp(-x));
    table[index] = value;
    table[sigmoidEntries + index] = -Math.log(Math.max(1e-7, value));
    table[2 * sigmoidEntries + index] = -Math.log(Math.max(1e-7, 1 - value));
  }
}

/** One bucket of pairs, with places in bytes. */
export interface Bucket {
  readonly pairs: number;
  readonly count: number;
  readonly rate: number;
  readonly random: number;
  /** Table of negative samples and its size, a power of two. */
  readonly table: number;
  readonly tableSize: number;
  readonly scratch: number;
}

/** Trains the pairs of a bucket in order and gives their summed loss. Every kernel gives the same bits. */
export type Kernel = (bucket: Bucket) => number;
