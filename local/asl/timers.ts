import type { Clock, Timer } from '../../lib/ports/clock.ts';

interface Entry {
  readonly at: number;
  readonly fire: () => void;
}

/** Many deadlines over one timer of the clock: a binary heap ordered by time. Entries are not cancelled; they check themselves. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #armed: { at: number; timer: Timer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `fire` at `at` (milliseconds since the Unix epoch) or soon after. */
  add(at: number, fire: () => void): void {
    this.#heap.push({ at, fire });
    this.#up(this.#heap.length - 1);
    this.#arm();
  }

  close(): void {
    this.#armed?.timer.cancel();
    this.#heap.length = 0;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || (this.#armed && this.#armed.at <= first.at)) return;
    this.#armed?.timer.cancel();
    const timer = this.#clock.setTimer(Math.max(0, first.at - this.#clock.now()), () => this.#fire());
    this.#armed = { at: first.at, timer };
  }

  #fire(): void {
    this.#armed = undefined;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.#removeFirst();
      first.fire();
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
