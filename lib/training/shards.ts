import { createHash } from 'node:crypto';

/** Parts that runs are spread over; shards are ranges of them, so that another number of shards loses nothing. */
const partCount = 65_536;

/** A run's part, 0 to 65,535: a stable hash of its id. */
export function partOf(runId: string): number {
  return createHash('sha256').update(runId).digest().readUInt16BE(0);
}

/** One shard of several. */
export interface Shard {
  readonly shard: number;
  readonly shards: number;
}

/** First and last part that a shard looks after. Each part belongs to exactly one shard. */
export function partsOf({ shard, shards }: Shard): { readonly first: number; readonly last: number } {
  const from = (index: number) => Math.ceil((index * partCount) / shards);
  return { first: from(shard), last: from(shard + 1) - 1 };
}

/** Whether a run belongs to a shard. */
export function isOfShard(runId: string, shard: Shard): boolean {
  const { first, last } = partsOf(shard);
  const part = partOf(runId);
  return part >= first && part <= last;
}
