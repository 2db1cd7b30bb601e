/** A row and its score. */
export interface Hit {
  readonly row: number;
  readonly score: number;
}

/** The `k` rows with the largest scores of those it is given in order; of equal scores the first row. */
export class BestRows {
  readonly #k: number;
  readonly #hits: Hit[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  add(row: number, score: number): void {
    const hits = this.#hits;
    if (hits.length === this.#k && score <= (hits[this.#k - 1]?.score ?? Number.NEGATIVE_INFINITY)) return;
    const at = hits.findIndex((hit) => score > hit.score);
    hits.splice(at < 0 ? hits.length : at, 0, { row, score });
    if (hits.length > this.#k) hits.pop();
  }

  /** Best first. */
  get hits(): readonly Hit[] {
    return this.#hits;
  }
}
