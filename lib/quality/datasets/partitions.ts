import type { DatasetContract } from './contract.ts';

const hour = 3_600_000;

/** How far back partitions are looked at, and missed: longer gaps were told when they were new. */
export const lookBack = { date: 14 * 24 * hour, hour: 48 * hour };

/** Milliseconds of one partition. */
const lengthOf = { date: 24 * hour, hour };

/** Places of files that are still being written, as Spark, Hadoop and downloads leave them. */
const unfinished = /(^|\/)(_temporary|_tmp)\/|\.(tmp|part|partial|inprogress|crdownload)$/i;

/** Names that hold no data: `_SUCCESS`, checksums, hidden files. */
const noData = /(^|\/)(\.[^/]*|_[^/]*|[^/]*\.crc)$/;

/** What a file below a dataset's location is, by its path. */
export function kindOfFile(path: string): 'data' | 'unfinished' | 'no-data' {
  if (unfinished.test(path)) return 'unfinished';
  return noData.test(path) ? 'no-data' : 'data';
}

/** The partition that a file belongs to, `2026-11-24` or `2026-11-24T02`; undefined outside of every partition. */
export function partitionOf(
  path: string,
  { partitioning }: Pick<DatasetContract, 'partitioning'>,
): string | undefined {
  const date = /(?:^|\/)date=(\d{4}-\d{2}-\d{2})\//.exec(path)?.[1];
  if (partitioning === 'none' || date === undefined || Number.isNaN(Date.parse(date))) return undefined;
  if (partitioning === 'date') return date;
  const of = /\/hour=(\d{2})\//.exec(path)?.[1];
  return of === undefined || Number(of) > 23 ? undefined : `${date}T${of}`;
}

/** When a partition begins, in milliseconds. */
export const startOf = (partition: string): number =>
  Date.parse(partition.length === 10 ? `${partition}T00:00:00Z` : `${partition}:00:00Z`);

/** The partition that an instant is in; it may be one that is never there. */
export function partitionAt(at: number, partitioning: 'date' | 'hour'): string {
  return new Date(at).toISOString().slice(0, partitioning === 'date' ? 10 : 13);
}

/** When a partition ends, in milliseconds. */
export const endOf = (partition: string): number =>
  startOf(partition) + lengthOf[partition.length === 10 ? 'date' : 'hour'];

/**
 * Partitions that should be there and are not, from the first that was ever seen, or is known (at most two weeks of days, two days of hours back) to the
 * last whose watermark is over; `now` in milliseconds. Partitions are UTC, so that no day has 23 or 25 hours.
 */
export function missingPartitions(
  known: readonly string[],
  { partitioning, watermarkMinutes }: Pick<DatasetContract, 'partitioning' | 'watermarkMinutes'>,
  { first: seen, now }: { readonly first: string | null; readonly now: number },
): string[] {
  const first = seen ?? known.toSorted()[0];
  if (partitioning === 'none' || first === undefined) return [];
  const length = lengthOf[partitioning];
  const there = new Set(known);
  const oldest = Math.ceil((now - lookBack[partitioning]) / length) * length;
  const missing: string[] = [];
  for (
    let at = Math.max(startOf(first), oldest);
    at + length + watermarkMinutes * 60_000 <= now;
    at += length
  ) {
    const name = partitionAt(at, partitioning);
    if (!there.has(name)) missing.push(name);
  }
  return missing;
}
