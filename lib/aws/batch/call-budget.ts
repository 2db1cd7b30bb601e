import { Throttled } from '../../errors/run-errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { nextChunk, smallestChunk, type Wanted } from './token-bucket.ts';

/** Milliseconds after which a process no longer owns tokens it took: they were meant for about now. */
const chunkLife = 10_000;

/** What a bucket answers. */
export type Grant = { readonly granted: true } | { readonly granted: false; readonly waitMs: number };

/** A bucket shared by all processes. */
export interface SharedBucket {
  take(wanted: Wanted): Promise<Grant>;
}

/** The right to make calls to an API whose rate is limited for the whole account. */
export interface CallBudget {
  /** Spends a token before a call; throws `Throttled` when none is left. Urgent calls may use the reserve. */
  spend(urgency?: 'usual' | 'urgent'): Promise<void>;
}

/** What a budget is made of. */
export interface CallBudgetOptions {
  /** Name of the API, for the sentence. */
  readonly api: string;
  readonly bucket: SharedBucket;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'count'>;
}

/** A process's part of a shared budget: tokens are taken in chunks, so that most calls cost no write. */
export function createCallBudget({ api, bucket, clock, metrics }: CallBudgetOptions): CallBudget {
  let left = 0;
  let expiresAt = 0;
  let chunk = 0;

  const empty = (waitMs: number): Throttled => {
    metrics.count('CallBudgetEmpty', 1, { api });
    return new Throttled(
      `${api}: this account's calls per second are used up; the next one is free in ${waitMs} ms.`,
    );
  };

  async function refill(urgent: boolean): Promise<void> {
    const size = chunk === 0 ? smallestChunk : nextChunk(chunk, left <= 0 && clock.now() < expiresAt);
    const grant = await bucket.take({ tokens: size, urgent });
    // What is left of the bucket may still be enough for this one call.
    const last = grant.granted || size === 1 ? grant : await bucket.take({ tokens: 1, urgent });
    if (!last.granted) throw empty(last.waitMs);
    chunk = size;
    left = grant.granted ? size : 1;
    expiresAt = clock.now() + chunkLife;
  }

  return {
    spend: async (urgency = 'usual') => {
      if (left <= 0 || clock.now() >= expiresAt) await refill(urgency === 'urgent');
      left -= 1;
    },
  };
}
