import { createHash } from 'node:crypto';

/** Parts that runs are spread over; shards are ranges of them, so that another number of shards loses nothing. */
const partCount = 65_536;

/** The part of a run or a tenant, 0 to 65,535: a stable hash of its id. */
export function partOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt16BE(0);
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

/** Whether a run or a tenant belongs to a shard. */
export function isOfShard(id: string, shard: Shard): boolean {
  const { first, last } = partsOf(shard);
  const part = partOf(id);
  return part >= first && part <= last;
}
