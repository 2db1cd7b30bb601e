import type { Clock, Timer } from '../../lib/ports/clock.ts';

/** Time that runs faster than ours, so that leases expire and heartbeats come while sockets answer at their own pace. */
export class ScaledClock implements Clock {
  readonly #scale: number;
  readonly #began = performance.now();
  readonly #start = Date.now();

  constructor(scale: number) {
    this.#scale = scale;
  }

  now(): number {
    return this.#start + (performance.now() - this.#began) * this.#scale;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, delayMs / this.#scale);
    return { cancel: () => clearTimeout(handle) };
  }
}
