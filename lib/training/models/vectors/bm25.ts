/** Saturation of a word's frequency and weight of a passage's length: the usual values of BM25 (Robertson, Zaragoza 2009). */
const saturation = 1.2;
const lengthWeight = 0.75;

/** Numbers in the order they were added, as many as there are: four or one byte each, however many. */
export class Column<T extends Uint32Array | Uint8Array> {
  #numbers: T;
  readonly #make: (length: number) => T;
  length = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#numbers = make(1_024);
  }

  add(number: number): void {
    if (this.length === this.#numbers.length) {
      const larger = this.#make(this.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.length] = number;
    this.length += 1;
  }

  at(index: number): number {
    return this.#numbers[index] ?? 0;
  }
}

export const fourBytes = (length: number) => new Uint32Array(length);
const oneByte = (length: number) => new Uint8Array(length);

/** A term of the question in some units, each with how often (at most 255, where more says no more). */
interface Posting {
  readonly units: Column<Uint32Array>;
  readonly counts: Column<Uint8Array>;
}

/** How often terms are in a unit, by the number of the term. */
export type Counts = Map<number, number>;

/** BM25 of the terms of one question over units of text: passages, or documents. */
export class Bm25 {
  readonly #lengths = new Column(fourBytes);
  readonly #postings: readonly Posting[];
  #total = 0;

  constructor(terms: number) {
    this.#postings = Array.from({ length: terms }, () => ({
      units: new Column(fourBytes),
      counts: new Column(oneByte),
    }));
  }

  /** Units so far. */
  get length(): number {
    return this.#lengths.length;
  }

  /** The next unit, with the terms that it has. */
  add(counts: Counts, length: number): void {
    for (const [term, times] of counts) this.post(term, this.length, times);
    this.addUnit(length);
  }

  /** The next unit; its terms are said by `post`. */
  addUnit(length: number): void {
    this.#lengths.add(length);
    this.#total += length;
  }

  /** A term is so many times in a unit; of one term the units rise. */
  post(term: number, unit: number, times: number): void {
    this.#postings[term]?.units.add(unit);
    this.#postings[term]?.counts.add(Math.min(255, times));
  }

  /** A score for each unit, 1 for the best, 0 where it has no term. */
  scores(): Float32Array {
    const scores = new Float32Array(this.length);
    const meanLength = this.#total / Math.max(1, this.length);
    let best = 0;
    for (const { units, counts } of this.#postings) {
      const rarity = Math.log(1 + (this.length - units.length + 0.5) / (units.length + 0.5));
      for (let at = 0; at < units.length; at += 1) {
        const [unit, count] = [units.at(at), counts.at(at)];
        const length = 1 - lengthWeight + (lengthWeight * this.#lengths.at(unit)) / meanLength;
        const score =
          (scores[unit] ?? 0) + (rarity * count * (saturation + 1)) / (count + saturation * length);
        scores[unit] = score;
        best = Math.max(best, score);
      }
    }
    return best === 0 ? scores : scores.map((score) => score / best);
  }
}
