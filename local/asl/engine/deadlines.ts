import type { Clock, Timer } from '../../../lib/ports/clock.ts';

interface Entry {
  at: number;
  /** Taken away when the deadline is called off, so that nothing it holds stays in memory until it is due. */
  fire: (() => void) | undefined;
}

/** Called-off deadlines that may stay in the heap before it is swept. */
const sweepFrom = 64;

/** Many deadlines over one timer of the clock: a binary heap ordered by time. */
export class Deadlines {
  readonly #clock: Clock;
  #heap: Entry[] = [];
  #cancelled = 0;
  #armed: { at: number; timer: Timer } | undefined;
  /** Since when nothing is due, while that is so. */
  #heldSince: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Deadlines kept, those called off but not yet swept included. */
  get size(): number {
    return this.#heap.length;
  }

  /** Calls `fire` at `at` (milliseconds since the Unix epoch) or soon after, unless it is called off before. */
  add(at: number, fire: () => void): Timer {
    const entry: Entry = { at, fire };
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    this.#arm();
    return { cancel: () => this.#cancel(entry) };
  }

  /** While held, nothing is due; afterwards everything is due as much later as it was held. */
  hold(held: boolean): void {
    if (held) {
      this.#heldSince ??= this.#clock.now();
      this.#armed?.timer.cancel();
      this.#armed = undefined;
    } else this.#release();
  }

  #release(): void {
    if (this.#heldSince === undefined) return;
    const held = this.#clock.now() - this.#heldSince;
    this.#heldSince = undefined;
    // All are moved by the same: the heap stays one.
    for (const entry of this.#heap) entry.at += held;
    this.#arm();
  }

  close(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    this.#heap = [];
  }

  #cancel(entry: Entry): void {
    if (!entry.fire) return;
    entry.fire = undefined;
    this.#cancelled += 1;
    this.#dropCancelledFirst();
    if (this.#cancelled < sweepFrom || this.#cancelled * 2 < this.#heap.length) return;
    // A list in ascending order is a heap.
    this.#heap = this.#heap.filter(({ fire }) => fire).sort((a, b) => a.at - b.at);
    this.#cancelled = 0;
    this.#arm();
  }

  /** The clock's timer never waits for a deadline that was called off. */
  #dropCancelledFirst(): void {
    for (let first = this.#heap[0]; first && !first.fire; first = this.#heap[0]) {
      this.#removeFirst();
      this.#cancelled -= 1;
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#heldSince !== undefined) return;
    const first = this.#heap[0];
    if (first && this.#armed?.at === first.at) return;
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    if (!first) return;
    const timer = this.#clock.setTimer(Math.max(0, first.at - this.#clock.now()), () => this.#fire());
    this.#armed = { at: first.at, timer };
  }

  #fire(): void {
    this.#armed = undefined;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.#removeFirst();
      const { fire } = first;
      if (!fire) this.#cancelled -= 1;
      first.fire = undefined;
      fire?.();
    }
    this.#arm();
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (this.#heap.length === 0 || !last) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (!first || !second) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }

  #up(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #down(start: number): void {
    for (let index = start; ; ) {
      const left = 2 * index + 1;
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(index) <= this.#at(smaller)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }
}
