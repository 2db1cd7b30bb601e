/** What a skip-gram training starts from. */
export interface SkipGramOptions {
  readonly dimensions: number;
  /** Words to either side. */
  readonly window: number;
  /** Words that are not there, for each one that is. */
  readonly negatives: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** 32 bits; the same seed and data give the same model. */
  readonly seed: number;
}

/** Where a training stands, also within an epoch: enough to go on after a restart as if nothing had happened. */
export interface SkipGramState {
  /** Epochs that are done. */
  epoch: number;
  /** Positions of the epoch under way that are done. */
  at: number;
  random: number;
  /** Randomness with which the epoch under way began: it says which words are thinned out. */
  epochRandom: number;
  /** Loss and pairs of the epoch under way so far. */
  loss: number;
  pairs: number;
  readonly input: Float32Array;
  readonly output: Float32Array;
}

const tableSize = 1 << 18;
const sigmoidSteps = 1_024;
const sigmoidReach = 6;

const sigmoids = Float32Array.from(
  { length: sigmoidSteps },
  (_, index) => 1 / (1 + Math.exp(-((index / sigmoidSteps) * 2 - 1) * sigmoidReach)),
);

function sigmoid(value: number): number {
  if (value >= sigmoidReach) return 1;
  if (value <= -sigmoidReach) return 0;
  return sigmoids[((value + sigmoidReach) * (sigmoidSteps / (2 * sigmoidReach))) | 0] as number;
}

/** Marsaglia's xorshift with 32 bits. */
function next(random: number): number {
  let mixed = random;
  mixed ^= mixed << 13;
  mixed ^= mixed >>> 17;
  mixed ^= mixed << 5;
  return mixed >>> 0;
}

/** Rows to draw negatives from, each as often as its count to the 3/4 asks (Mikolov et al. 2013). */
function negativeTable(counts: readonly number[]): Uint32Array {
  const weights = counts.map((count) => count ** 0.75);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Uint32Array(tableSize);
  let row = 0;
  let reached = (weights[0] ?? 0) / total;
  for (let index = 0; index < tableSize; index += 1) {
    table[index] = row;
    if (index / tableSize > reached && row < counts.length - 1) {
      row += 1;
      reached += (weights[row] ?? 0) / total;
    }
  }
  return table;
}

/** Share of all words above which a word is thinned out (Mikolov et al. 2013 use 1e-5 on corpora 10,000 times larger). */
const frequent = 1e-3;

/** A corpus without most occurrences of its most frequent words, so that rarer words meet; where one is left out, its neighbours do. */
function thinned(
  corpus: Int32Array,
  counts: readonly number[],
  random: number,
): { readonly rows: Int32Array; readonly random: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const keep = counts.map((count) => Math.sqrt((frequent * total) / count));
  const rows = new Int32Array(corpus.length);
  let length = 0;
  let mixed = random;
  for (const row of corpus) {
    if (row >= 0) {
      mixed = next(mixed);
      if (mixed / 2 ** 32 > (keep[row] as number)) continue;
    }
    rows[length] = row;
    length += 1;
  }
  return { rows: rows.subarray(0, length), random: mixed };
}

/** A training that has not begun. */
export function beginSkipGram(words: number, { dimensions, seed }: SkipGramOptions): SkipGramState {
  let random = (seed >>> 0) | 1;
  const input = new Float32Array(words * dimensions);
  for (let index = 0; index < input.length; index += 1) {
    random = next(random);
    input[index] = (random / 2 ** 32 - 0.5) / dimensions;
  }
  const output = new Float32Array(words * dimensions);
  return { epoch: 0, at: 0, random, epochRandom: random, loss: 0, pairs: 0, input, output };
}

/** What all slices of one epoch share. */
export interface EpochPlan {
  /** Row numbers, -1 between passages, frequent words thinned out. */
  readonly corpus: Int32Array;
  readonly table: Uint32Array;
}

/** Plans the epoch that the state stands before or in; `whole` holds row numbers, -1 between passages. */
export function planEpoch(whole: Int32Array, counts: readonly number[], state: SkipGramState): EpochPlan {
  if (state.at === 0) state.epochRandom = state.random;
  const { rows, random } = thinned(whole, counts, state.epochRandom);
  if (state.at === 0) state.random = random;
  return { corpus: rows, table: negativeTable(counts) };
}

/** One word and one of its neighbours, with negative samples (Mikolov et al. 2013); adds to loss and pairs. */
function trainPair(
  pair: { readonly center: number; readonly context: number; readonly rate: number },
  { table }: EpochPlan,
  state: SkipGramState,
  options: SkipGramOptions,
  gradient: Float32Array,
): void {
  const { dimensions, negatives } = options;
  const { input, output } = state;
  const row = pair.context * dimensions;
  gradient.fill(0);
  for (let sample = 0; sample <= negatives; sample += 1) {
    let target = pair.center;
    if (sample > 0) {
      state.random = next(state.random);
      target = table[state.random & (tableSize - 1)] as number;
      if (target === pair.center) continue;
    }
    const column = target * dimensions;
    let dot = 0;
    for (let index = 0; index < dimensions; index += 1)
      dot += (input[row + index] as number) * (output[column + index] as number);
    const predicted = sigmoid(dot);
    const step = ((sample === 0 ? 1 : 0) - predicted) * pair.rate;
    state.loss -= Math.log(Math.max(1e-7, sample === 0 ? predicted : 1 - predicted));
    for (let index = 0; index < dimensions; index += 1) {
      gradient[index] = (gradient[index] as number) + step * (output[column + index] as number);
      output[column + index] = (output[column + index] as number) + step * (input[row + index] as number);
    }
  }
  for (let index = 0; index < dimensions; index += 1)
    input[row + index] = (input[row + index] as number) + (gradient[index] as number);
  state.pairs += 1;
}

/**
 * Trains so many positions of the epoch in place. Undefined while the epoch goes on, its mean loss per pair when it is
 * over. However an epoch is cut into slices, the numbers are the same.
 */
export function trainSlice(
  plan: EpochPlan,
  state: SkipGramState,
  options: SkipGramOptions,
  positions: number,
): number | undefined {
  const { corpus } = plan;
  const gradient = new Float32Array(options.dimensions);
  const end = Math.min(corpus.length, state.at + positions);
  for (let at = state.at; at < end; at += 1) {
    const center = corpus[at] as number;
    if (center < 0) continue;
    const done = (state.epoch + at / corpus.length) / options.epochs;
    const rate = options.learningRate * Math.max(1e-4, 1 - done);
    state.random = next(state.random);
    const reach = 1 + (state.random % options.window);
    for (let side = -reach; side <= reach; side += 1) {
      const context = side === 0 ? -1 : (corpus[at + side] ?? -1);
      if (context >= 0) trainPair({ center, context, rate }, plan, state, options, gradient);
      else if (side > 0) break;
    }
  }
  state.at = end;
  if (end < corpus.length) return undefined;
  const loss = state.pairs === 0 ? 0 : state.loss / state.pairs;
  Object.assign(state, { epoch: state.epoch + 1, at: 0, loss: 0, pairs: 0 });
  return loss;
}
