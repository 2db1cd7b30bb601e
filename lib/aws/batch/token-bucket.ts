/** How fast a bucket fills and how much it holds, in tokens. */
export interface BucketRule {
  readonly perSecond: number;
  readonly burst: number;
  /** Part of the burst, 0 to 1, that only urgent takers may use. */
  readonly reserved: number;
}

/** What a taker wants. */
export interface Wanted {
  readonly tokens: number;
  readonly urgent: boolean;
}

/**
 * The bucket as one number: the instant at which it will be full again. Taking n tokens moves that instant by n intervals;
 * a bucket whose instant has passed is full. So a take is one addition, which a table can do under a condition.
 */
export type FullAt = number | undefined;

/** The write a take needs, or how long it has to wait. Instants and durations are whole milliseconds. */
export type TakePlan =
  /** The bucket is full: `fullAt` becomes `now + cost`, if it still lies before `now`. */
  | { readonly kind: 'from-full'; readonly now: number; readonly cost: number }
  /** The bucket is in use: `fullAt` grows by `cost`, if it still lies between `now` and `highest`. */
  | { readonly kind: 'from-used'; readonly now: number; readonly cost: number; readonly highest: number }
  | { readonly kind: 'empty'; readonly waitMs: number };

/** Plans a take from what is believed of the bucket; `undefined` is a bucket nobody has used yet. */
export function planTake(fullAt: FullAt, now: number, wanted: Wanted, rule: BucketRule): TakePlan {
  const interval = 1000 / rule.perSecond;
  const cost = Math.ceil(wanted.tokens * interval);
  if (fullAt === undefined || fullAt < now) return { kind: 'from-full', now, cost };
  const usable = wanted.urgent ? rule.burst : rule.burst * (1 - rule.reserved);
  const highest = now + Math.floor(usable * interval) - cost;
  if (fullAt <= highest) return { kind: 'from-used', now, cost, highest };
  return { kind: 'empty', waitMs: fullAt - highest };
}

/** Tokens a process takes at a time. */
export const smallestChunk = 2;
export const largestChunk = 16;

/**
 * Size of the next chunk. A process that uses its chunk up in time takes twice as many next time, one that lets tokens
 * expire begins small again: few writes where there is much to do, little waste where there is not.
 */
export function nextChunk(previous: number, usedUp: boolean): number {
  return usedUp ? Math.min(previous * 2, largestChunk) : smallestChunk;
}
