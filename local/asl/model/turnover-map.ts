/** Entries taken out after which a map is made anew: copying what is left then costs each of them little. */
const turnover = 256;

/**
 * A map for entries that come and go. V8 links the table that a `Map` outgrew to the one that follows; once one of them is in the
 * old generation, all that follow keep what they ever held until that generation is collected. This one is copied, which
 * links nothing, before many of its entries have been replaced.
 */
export class TurnoverMap<K, V> {
  #entries = new Map<K, V>();
  #removed = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): void {
    this.#entries.set(key, value);
  }

  delete(key: K): void {
    if (!this.#entries.delete(key)) return;
    this.#removed += 1;
    if (this.#removed < Math.max(turnover, this.#entries.size)) return;
    this.#removed = 0;
    this.#entries = new Map(this.#entries);
  }

  keys(): MapIterator<K> {
    return this.#entries.keys();
  }

  values(): MapIterator<V> {
    return this.#entries.values();
  }
}
