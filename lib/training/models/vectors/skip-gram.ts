/** What a skip-gram training starts from. */
export interface SkipGramOptions {
  readonly dimensions: number;
  /** Words to either side. */
  readonly window: number;
  /** Words that are not there, for each one that is. */
  readonly negatives: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** 32 bits; the same seed and data give the same model, with any number of threads and interruptions. */
  readonly seed: number;
}

/** How a training is cut. It follows from the size of the corpus alone, never from the machine. */
export interface SkipGramShape {
  /** Rows of the corpus in one chunk: what is trained between two looks at the world. */
  readonly chunkRows: number;
  /** Parts of the vocabulary that may be trained side by side: at most so many threads have work. */
  readonly partitions: number;
}

/** Rows from which a corpus is worth several threads: about a second of work. */
const manyRows = 262_144;

/** The shape of a training on a corpus of so many rows. */
export function shapeOf(rows: number): SkipGramShape {
  return rows < manyRows ? { chunkRows: 2_048, partitions: 1 } : { chunkRows: 65_536, partitions: 8 };
}

/** Pairs are sorted into buckets by the partitions of context and centre. */
export function bucketsOf({ partitions }: SkipGramShape): number {
  return partitions * partitions;
}

/** Where a training is: enough to go on after a restart as if nothing had happened. */
export interface SkipGramState {
  /** Epochs that are done. */
  epoch: number;
  /** Chunks of the epoch under way that are done. */
  at: number;
  /** Loss and pairs of the epoch under way so far. */
  loss: number;
  pairs: number;
}

/** Marsaglia's xorshift with 32 bits. */
export function next(random: number): number {
  let mixed = random;
  mixed ^= mixed << 13;
  mixed ^= mixed >>> 17;
  mixed ^= mixed << 5;
  return mixed >>> 0;
}

/** A seed of its own for each purpose, never 0: the finaliser of MurmurHash3 over all parts. */
export function seedOf(...parts: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0 || 1;
}

/** Fills the vectors that a training begins with, row by row of `floats` of which the first `dimensions` count. */
export function beginVectors(
  input: Float32Array,
  floats: number,
  { dimensions, seed }: SkipGramOptions,
): void {
  let random = seedOf(seed);
  for (let row = 0; row < input.length; row += floats) {
    for (let index = 0; index < dimensions; index += 1) {
      random = next(random);
      input[row + index] = (random / 2 ** 32 - 0.5) / dimensions;
    }
  }
}

/** The learning rate falls in a straight line to a ten-thousandth (Mikolov et al. 2013); it is one number for a chunk. */
export function rateOf({ learningRate, epochs }: SkipGramOptions, epoch: number, share: number): number {
  return Math.fround(learningRate * Math.max(1e-4, 1 - (epoch + share) / epochs));
}
