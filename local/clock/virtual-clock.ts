import type { Clock, Timer } from '../../lib/ports/clock.ts';

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that moves only when it is advanced: hours of waiting run in milliseconds of a test. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(startMs: number) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#waiting.size;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#order += 1;
    const waiting = { at: this.#now + Math.max(0, delayMs), order: this.#order, callback };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** Milliseconds until the next timer, if there is one. */
  untilNext(): number | undefined {
    const next = this.#next();
    return next ? Math.max(0, next.at - this.#now) : undefined;
  }

  /** Moves on, firing every timer on the way in order and letting what it wakes run in between. */
  async advance(ms: number): Promise<void> {
    await this.advanceTo(this.#now + ms);
  }

  /** Moves to an instant; going back is refused. */
  async advanceTo(instantMs: number): Promise<void> {
    if (instantMs < this.#now) throw new RangeError('Time does not run backwards.');
    await quiet();
    for (let next = this.#next(); next && next.at <= instantMs; next = this.#next()) {
      this.#waiting.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await quiet();
    }
    this.#now = instantMs;
  }

  #next(): Waiting | undefined {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (!first || waiting.at < first.at || (waiting.at === first.at && waiting.order < first.order))
        first = waiting;
    }
    return first;
  }
}

/** Lets promises and immediates that are ready run, a few rounds deep. */
async function quiet(): Promise<void> {
  for (let round = 0; round < 8; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
