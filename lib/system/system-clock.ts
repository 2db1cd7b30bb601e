import type { Clock, Timer } from '../ports/clock.ts';

/** Longest delay one Node timer can hold. */
const longest = 2 ** 31 - 1;

/** Real time. Delays longer than a Node timer can hold are waited for in parts. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let handle: NodeJS.Timeout;
    const due = performance.now() + delayMs;
    const arm = () => {
      const left = due - performance.now();
      handle = left > longest ? setTimeout(arm, longest) : setTimeout(callback, Math.max(0, left));
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  }
}
