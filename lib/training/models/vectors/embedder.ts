import { tokenize } from './tokens.ts';
import type { WordModel } from './word-model.ts';

/** Weight of rare against frequent words: smooth inverse frequency, a / (a + p(w)) (Arora, Liang, Ma 2017, who use 1e-3). */
const smoothing = 1e-3;

/** What all words have in common says nothing about any: the mean vector, each word as often as it occurs (Mu, Viswanath 2018). */
function commonDirection({ dimensions, counts, vectors }: WordModel): Float32Array {
  const mean = new Float32Array(dimensions);
  const total = counts.reduce((sum, count) => sum + count, 0);
  for (const [row, count] of counts.entries()) {
    for (let index = 0; index < dimensions; index += 1) {
      mean[index] = (mean[index] as number) + (count / total) * (vectors[row * dimensions + index] as number);
    }
  }
  return mean;
}

/** Embeds texts as the weighted mean, of length 1, of their words' vectors. */
export class Embedder {
  readonly dimensions: number;
  readonly #model: WordModel;
  readonly #rows: ReadonlyMap<string, number>;
  readonly #weights: Float32Array;
  readonly #common: Float32Array;

  constructor(model: WordModel) {
    this.#model = model;
    this.dimensions = model.dimensions;
    this.#rows = new Map(model.words.map((word, row) => [word, row]));
    const total = model.counts.reduce((sum, count) => sum + count, 0);
    this.#common = commonDirection(model);
    this.#weights = Float32Array.from(model.counts, (count) => smoothing / (smoothing + count / total));
  }

  /** A unit vector, or undefined when the text holds no known word. */
  embed(text: string): Float32Array | undefined {
    return this.embedWords(tokenize(text));
  }

  /** The same of a text's words. */
  embedWords(words: readonly string[]): Float32Array | undefined {
    const { dimensions } = this;
    const sum = new Float32Array(dimensions);
    let known = false;
    for (const word of words) {
      const row = this.#rows.get(word);
      if (row === undefined) continue;
      known = true;
      const weight = this.#weights[row] ?? 0;
      for (let index = 0; index < dimensions; index += 1) {
        sum[index] =
          (sum[index] as number) +
          weight *
            ((this.#model.vectors[row * dimensions + index] as number) - (this.#common[index] as number));
      }
    }
    return known ? toUnitLength(sum) : undefined;
  }
}

/** The vector divided by its length; undefined for a zero vector. */
function toUnitLength(vector: Float32Array): Float32Array | undefined {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return length > 0 ? vector.map((value) => value / length) : undefined;
}
