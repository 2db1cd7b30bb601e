import type { IdSource } from '../../lib/ports/id-source.ts';
import type { Random } from '../../lib/ports/random.ts';

export { systemIds } from '../../lib/system/system-ids.ts';

/** Ids that count, for tests. */
export function sequentialIds(prefix = ''): IdSource {
  let count = 0;
  const next = () => {
    count += 1;
    return count;
  };
  return {
    ulid: () => `${prefix}${String(next()).padStart(26 - prefix.length, '0')}`,
    traceId: () => next().toString(16).padStart(32, '0'),
    secret: () => `secret-${prefix}${next()}`,
  };
}

/** A small seeded generator (mulberry32), for tests and for jitter that can be replayed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
