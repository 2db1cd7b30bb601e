/** A running timer; cancelling one that fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as a parameter, so that the same code runs under virtual time in tests. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `callback` once, not earlier than `delayMs` from now. Timers longer than 2^31 ms must work. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** The clock's time in ISO 8601, UTC with milliseconds, as records and events have it. */
export function isoNow(clock: Pick<Clock, 'now'>): string {
  return new Date(clock.now()).toISOString();
}
