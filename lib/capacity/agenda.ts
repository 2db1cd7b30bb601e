/** Something that happens at a time. */
interface Entry {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** What is to happen, earliest first and then as it was entered: a binary heap, for simulations of many thousand jobs. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(at: number, act: () => void): void {
    this.#order += 1;
    this.#heap.push({ at, order: this.#order, act });
    for (let child = this.#heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Takes the next out. */
  take(): Entry | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (!first || !last || this.#heap.length === 0) return first;
    this.#heap[0] = last;
    for (let parent = 0; ; ) {
      const least = this.#least(parent);
      if (least === parent) return first;
      this.#swap(least, parent);
      parent = least;
    }
  }

  /** The earliest of an entry and its two children. */
  #least(parent: number): number {
    const children = [parent * 2 + 1, parent * 2 + 2].filter((child) => child < this.#heap.length);
    return children.reduce((least, child) => (this.#before(child, least) ? child : least), parent);
  }

  #before(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    return a !== undefined && b !== undefined && (a.at - b.at || a.order - b.order) < 0;
  }

  #swap(left: number, right: number): void {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    if (a && b) [this.#heap[left], this.#heap[right]] = [b, a];
  }
}
