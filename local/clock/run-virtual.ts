import type { VirtualClock } from './virtual-clock.ts';

/** What is driven: it says whether it is over, and when it has nothing to do until time passes. */
export interface Driven {
  isOver(): Promise<boolean>;
  idle(): Promise<void>;
}

/** Moves virtual time from timer to timer until it is over; false when nothing is left to wait for or the time is up. */
export async function runVirtual(
  clock: VirtualClock,
  driven: Driven,
  longestMs = 366 * 86_400_000,
): Promise<boolean> {
  const end = clock.now() + longestMs;
  for (;;) {
    await driven.idle();
    if (await driven.isOver()) return true;
    const wait = clock.untilNext();
    if (wait === undefined || clock.now() + wait > end) return false;
    await clock.advance(wait);
  }
}
