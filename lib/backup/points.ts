import { EpsilonError } from '../errors/epsilon-error.ts';
import { NotFound } from '../errors/store-errors.ts';
import type { Manifest } from './manifest.ts';

/** A point of a repository: its manifest, or why it cannot be read. */
export type Point =
  | { readonly id: string; readonly manifest: Manifest }
  | { readonly id: string; readonly fault: string };

/** Which point is wanted: one by its id, the newest, or the newest that is not after an instant. */
export type Wanted = { readonly id: string } | { readonly to: string };

/** Stands for the newest point where an instant is asked for. */
export const newest = 'newest';

const withZone = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;

/** From when to when something can be restored; ISO 8601. */
export interface Bounds {
  readonly oldest: string;
  readonly newest: string;
}

/** Days of a month, which counts from 1. */
const daysOf = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();

/**
 * Milliseconds of an instant that names its zone; `RESTORE_TIME_INVALID` otherwise, with the bounds where they are known. `Date.parse`
 * takes 30 February for 2 March: such a day is refused.
 */
export function instantOf(text: string, bounds?: Bounds): number {
  const refused = (why: string) =>
    new EpsilonError(
      'RESTORE_TIME_INVALID',
      `--to ${text} ${why}.${bounds ? ` What can be restored reaches from ${bounds.oldest} to ${bounds.newest}.` : ''}`,
      { details: { ...bounds } },
    );
  const found = withZone.exec(text);
  if (!found)
    throw refused('is not an instant with a zone such as 2026-11-26T02:00:00Z or 2026-11-26T02:00:00+01:00');
  const [, year, month, day] = found.map(Number) as [number, number, number, number];
  const at = Date.parse(text);
  if (Number.isFinite(at) && day <= daysOf(year, month)) return at;
  throw refused('is not a time that exists');
}

function readable(points: readonly Point[]): Manifest[] {
  return points
    .flatMap((point) => ('manifest' in point ? [point.manifest] : []))
    .sort((a, b) => (a.takenAt < b.takenAt ? -1 : 1));
}

const boundsOf = (oldest: Manifest, latest: Manifest): Bounds => ({
  oldest: oldest.takenAt,
  newest: latest.takenAt,
});

function outOfRange(why: string, oldest: Manifest, latest: Manifest): EpsilonError {
  const bounds = boundsOf(oldest, latest);
  return new EpsilonError(
    'RESTORE_POINT_OUT_OF_RANGE',
    `${why}: points reach from ${bounds.oldest} to ${bounds.newest}.`,
    { details: { ...bounds } },
  );
}

function byId(points: readonly Point[], all: readonly Manifest[], id: string): Manifest {
  const point = points.find((one) => one.id === id.toUpperCase());
  if (point && 'manifest' in point) return point.manifest;
  if (point) throw new EpsilonError('BACKUP_CORRUPT', `${point.fault}`, { exitCode: 4 });
  const range = `points reach from ${all[0]?.takenAt} to ${all.at(-1)?.takenAt}`;
  throw new NotFound('BACKUP_NOT_FOUND', `There is no point "${id}"; ${range}.`);
}

/**
 * The points to restore from, the wanted one first. A point that was named by its id stands alone; otherwise older ones follow,
 * for when it turns out to be damaged. Errors: `BACKUP_NOT_FOUND`, `RESTORE_TIME_INVALID`, `RESTORE_POINT_OUT_OF_RANGE` with both
 * bounds. `now` is in milliseconds since the Unix epoch.
 */
export function choosePoints(points: readonly Point[], wanted: Wanted, now: number): Manifest[] {
  const all = readable(points);
  const [oldest, latest] = [all[0], all.at(-1)];
  if ('to' in wanted && wanted.to !== newest)
    instantOf(wanted.to, oldest && latest && boundsOf(oldest, latest));
  if (!oldest || !latest) {
    const damaged = points.length > 0 ? ` (${points.length} cannot be read)` : '';
    throw new NotFound('BACKUP_NOT_FOUND', `There is no point to restore${damaged}.`);
  }
  if ('id' in wanted) return [byId(points, all, wanted.id)];
  if (wanted.to === newest) return all.reverse();
  const at = instantOf(wanted.to);
  const why = `--to ${wanted.to} is`;
  if (at > now) throw outOfRange(`${why} in the future`, oldest, latest);
  if (at < Date.parse(oldest.takenAt)) throw outOfRange(`${why} before the oldest point`, oldest, latest);
  if (at > Date.parse(latest.takenAt)) throw outOfRange(`${why} after the newest point`, oldest, latest);
  return all.filter(({ takenAt }) => Date.parse(takenAt) <= at).reverse();
}
