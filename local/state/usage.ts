import { type Dirent, lstatSync, readdirSync, statfsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { isTenantId } from '../../lib/tenants/tenant.ts';

/** What a part of the state directory is for. */
export type StatePart =
  | 'objects of runs'
  | 'documents'
  | 'models'
  | 'other objects'
  | 'jobs'
  | 'records'
  | 'logs'
  | 'other';

/** Bytes on the disk and number of files of one part. */
export interface PartUsage {
  readonly part: StatePart;
  readonly bytes: number;
  readonly files: number;
}

/** Bytes of one tenant's objects. */
export interface TenantUsage {
  readonly tenantId: string;
  readonly bytes: number;
  readonly runs: number;
}

/** Where the space of a state directory is. Bytes are those the disk has given, not the lengths of files. */
export interface StateUsage {
  readonly path: string;
  readonly bytes: number;
  /** Largest first. */
  readonly parts: readonly PartUsage[];
  /** Largest first. */
  readonly tenants: readonly TenantUsage[];
  /** Bytes written on each of the last days that anything was, by date (UTC), oldest first. */
  readonly perDay: readonly { readonly date: string; readonly bytes: number }[];
  /** Bytes that may still be written. */
  readonly free: number;
}

/** Bytes of a block as `stat` counts them. */
const statBlock = 512;

/** Days that the growth is taken from. */
const daysLooked = 14;

const databases = /\.(sqlite|db)(-wal|-shm)?$/;

/** The part of a file, by its path below the directory; and whose it is, which run's. */
function placeOf(path: string): {
  readonly part: StatePart;
  readonly tenantId?: string;
  readonly run?: string;
} {
  const [top = '', bucket, tenantId, folder, run] = path.split('/');
  if (top === 'jobs' || top === 'logs') return { part: top };
  if (top !== 'objects') return { part: databases.test(top) ? 'records' : 'other' };
  if (bucket === undefined || folder === undefined || !isTenantId(tenantId)) return { part: 'other objects' };
  if (folder === 'runs') return { part: 'objects of runs', tenantId, ...(run === undefined ? {} : { run }) };
  return { part: folder === 'documents' ? 'documents' : 'models', tenantId };
}

/** Bytes that may still be written to the file system of a path. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** Every file below a folder that can be looked at; what vanishes meanwhile is not there. */
export function* filesBelow(folder: string): Generator<string> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

function add<K>(sums: Map<K, number>, key: K, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

/** Sums of everything below a state directory, file by file. */
class Sums {
  readonly bytes = new Map<StatePart, number>();
  readonly files = new Map<StatePart, number>();
  readonly tenants = new Map<string, number>();
  readonly runs = new Map<string, Set<string>>();
  readonly days = new Map<string, number>();

  count(path: string, size: number, modifiedAt: number): void {
    const { part, tenantId, run } = placeOf(path);
    add(this.bytes, part, size);
    add(this.files, part, 1);
    // A database is written again and again: when it grew cannot be seen.
    if (part !== 'records') add(this.days, new Date(modifiedAt).toISOString().slice(0, 10), size);
    if (tenantId === undefined) return;
    add(this.tenants, tenantId, size);
    const runs = this.runs.get(tenantId) ?? new Set();
    if (run !== undefined) runs.add(run);
    this.runs.set(tenantId, runs);
  }
}

/** Measures a state directory; it may be in use. */
export function measureState(path: string): StateUsage {
  const sums = new Sums();
  for (const file of filesBelow(path)) {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found) sums.count(relative(path, file).split(sep).join('/'), found.blocks * statBlock, found.mtimeMs);
  }
  const descending = <T extends { readonly bytes: number }>(all: T[]) =>
    all.sort((a, b) => b.bytes - a.bytes);
  const parts = [...sums.bytes].map(([part, bytes]) => ({ part, bytes, files: sums.files.get(part) ?? 0 }));
  const tenants = [...sums.tenants].map(([tenantId, bytes]) => ({
    tenantId,
    bytes,
    runs: sums.runs.get(tenantId)?.size ?? 0,
  }));
  return {
    path,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    parts: descending(parts),
    tenants: descending(tenants),
    perDay: [...sums.days]
      .map(([date, bytes]) => ({ date, bytes }))
      .sort((a, b) => (a.date < b.date ? -1 : 1)),
    free: freeBytes(path),
  };
}

/** When the disk will be full. */
export interface Forecast {
  /** Bytes a day, the mean of the last days including those on which nothing was written. */
  readonly bytesPerDay: number;
  /** Whole days until nothing is free. */
  readonly days: number;
  /** That day, UTC. */
  readonly date: string;
}

/** Milliseconds of a day. */
const day = 86_400_000;

/**
 * When the disk will be full if the state goes on growing as in the last two weeks; undefined while nothing has been written on two
 * different days: one day says nothing of a rate. `now` is in milliseconds since the Unix epoch.
 */
export function forecastOf(
  { perDay, free }: Pick<StateUsage, 'perDay' | 'free'>,
  now: number,
): Forecast | undefined {
  const since = new Date(now - daysLooked * day).toISOString().slice(0, 10);
  const today = new Date(now).toISOString().slice(0, 10);
  const looked = perDay.filter(({ date }) => date > since && date <= today);
  const [first] = looked;
  if (!first || looked.length < 2) return undefined;
  const days = Math.round((Date.parse(today) - Date.parse(first.date)) / day) + 1;
  const bytesPerDay = looked.reduce((sum, { bytes }) => sum + bytes, 0) / days;
  if (bytesPerDay <= 0) return undefined;
  const left = Math.floor(free / bytesPerDay);
  // Further away than dates go is never.
  if (left > 36_500) return undefined;
  return { bytesPerDay, days: left, date: new Date(now + left * day).toISOString().slice(0, 10) };
}
