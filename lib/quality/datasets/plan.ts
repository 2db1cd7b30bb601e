import { createHash } from 'node:crypto';
import type { DatasetContract } from './contract.ts';
import { type DatasetMemory, type Window, wholeDataset } from './memory.ts';
import { endOf, kindOfFile, lookBack, partitionAt, partitionOf, startOf } from './partitions.ts';

/** A file of a dataset. */
export interface DatasetFile {
  readonly uri: string;
  /** Below the dataset's location. */
  readonly path: string;
  readonly size: number;
  /** Milliseconds. */
  readonly modifiedAt: number;
}

/** What is there of one partition. */
export interface ListedPartition {
  /** Of the names, sizes and times of its objects. */
  readonly digest: string;
  readonly bytes: number;
  /** When its newest file arrived, ISO 8601. */
  readonly newestArrival: string;
  readonly files: readonly DatasetFile[];
}

/** What is there of a dataset, as far back as checks look. */
export interface DatasetListing {
  readonly partitions: Readonly<Record<string, ListedPartition>>;
  /** Files that are still being written. */
  readonly unfinished: number;
}

/** Partitions that are looked at by one check; the others are looked at by the next. */
export const mostAtOnce = 48;

/** Where the listing begins: names below a location are in order, so that what is older needs no calls. Undefined: with the first name. */
export function listedAfter(
  { partitioning }: Pick<DatasetContract, 'partitioning'>,
  { backfill, now }: { readonly backfill: Window | undefined; readonly now: number },
): string | undefined {
  if (partitioning === 'none') return undefined;
  const oldest = now - lookBack[partitioning];
  const from = backfill === undefined ? oldest : Math.min(oldest, Date.parse(backfill.from));
  return `date=${partitionAt(from, 'date')}`;
}

/** Sorts the files of a dataset by partition; those outside of every one are none. */
export function listingOf(
  { partitioning }: Pick<DatasetContract, 'partitioning'>,
  files: readonly DatasetFile[],
): DatasetListing {
  const byPartition = new Map<string, DatasetFile[]>();
  let unfinished = 0;
  for (const file of files) {
    const kind = kindOfFile(file.path);
    if (kind === 'unfinished') unfinished += 1;
    const name = partitioning === 'none' ? wholeDataset : partitionOf(file.path, { partitioning });
    if (kind !== 'data' || name === undefined) continue;
    const own = byPartition.get(name);
    if (own) own.push(file);
    else byPartition.set(name, [file]);
  }
  const partitions = [...byPartition].map(([name, own]) => {
    const lines = own.map(({ path, size, modifiedAt }) => JSON.stringify([path, size, modifiedAt])).sort();
    const newest = Math.max(...own.map(({ modifiedAt }) => modifiedAt));
    return [
      name,
      {
        digest: createHash('sha256').update(lines.join('\n')).digest('hex'),
        bytes: own.reduce((sum, { size }) => sum + size, 0),
        newestArrival: new Date(newest).toISOString(),
        files: own,
      },
    ] as const;
  });
  return { partitions: Object.fromEntries(partitions), unfinished };
}

function isIn(name: string, { from, to }: Window): boolean {
  const at = startOf(name);
  return at >= Date.parse(from) && at < Date.parse(to);
}

/**
 * Partitions that have to be looked at: new ones whose watermark is over, and those whose objects have changed since. A partition that is
 * still written is not judged. Oldest first; `now` in milliseconds.
 */
export function duePartitions(
  { partitions }: DatasetListing,
  { memory, contract, now }: { memory: DatasetMemory | undefined; contract: DatasetContract; now: number },
): string[] {
  const { partitioning, watermarkMinutes } = contract;
  const known = memory?.partitions ?? {};
  const changed = ([name, { digest }]: [string, ListedPartition]) => known[name]?.digest !== digest;
  if (partitioning === 'none')
    return Object.entries(partitions)
      .filter(changed)
      .map(([name]) => name);
  const oldest = now - lookBack[partitioning];
  const { backfill } = memory ?? {};
  const asked = (name: string) => backfill !== undefined && isIn(name, backfill);
  return Object.entries(partitions)
    .filter(
      ([name, listed]) =>
        endOf(name) + watermarkMinutes * 60_000 <= now &&
        ((startOf(name) >= oldest && changed([name, listed])) || asked(name)),
    )
    .map(([name]) => name)
    .sort()
    .slice(0, mostAtOnce);
}
