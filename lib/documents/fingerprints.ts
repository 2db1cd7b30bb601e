/** Share of places that may be taken. */
const fullest = 0.7;

/**
 * A set of 64-bit fingerprints in 8 bytes a place: a `Set` of strings takes ten times as much and ends at 16.7 million. Two of 10
 * million texts are taken for one with a probability of 3 in a million.
 */
export class FingerprintSet {
  #places = new Uint32Array(2 << 10);
  #mask = (1 << 10) - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#places.byteLength;
  }

  /** Adds the first 16 of the hexadecimal digits; false when they are there. */
  add(hex: string): boolean {
    const high = Number.parseInt(hex.slice(0, 8), 16);
    const low = Number.parseInt(hex.slice(8, 16), 16);
    // Two zeros mark an empty place.
    if (!this.#put(high, high === 0 && low === 0 ? 1 : low)) return false;
    this.#size += 1;
    if (this.#size > (this.#mask + 1) * fullest) this.#grow();
    return true;
  }

  #put(high: number, low: number): boolean {
    const places = this.#places;
    for (let place = (low & this.#mask) * 2; ; place = (place + 2) & (this.#mask * 2 + 1)) {
      const [there, below] = [places[place], places[place + 1]];
      if (there === high && below === low) return false;
      if (there !== 0 || below !== 0) continue;
      places[place] = high;
      places[place + 1] = low;
      return true;
    }
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Uint32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let place = 0; place < old.length; place += 2) {
      const [high, low] = [old[place] as number, old[place + 1] as number];
      if (high !== 0 || low !== 0) this.#put(high, low);
    }
  }
}
