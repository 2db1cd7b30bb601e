import type { BackupSettings } from './settings.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** Hours in which every point stays, and hours in which the last of each hour does. */
const everyPointHours = 2;
const hourlyHours = 48;

/** A point as retention sees it. */
export interface AgedPoint {
  readonly id: string;
  readonly takenAt: string;
}

/** The newest point of each span of time, among points that are sorted by age, oldest first. */
function lastOfEach(points: readonly AgedPoint[], spanMs: number): AgedPoint[] {
  const spans = new Map(points.map((point) => [Math.floor(Date.parse(point.takenAt) / spanMs), point]));
  return [...spans.values()];
}

/**
 * Points that may go. Count and age both hold: the newest `keepAtLeast` stay however old they are. Younger ones stay all for two hours,
 * the last of each hour for two days, the last of each day for `keepDays`. Nothing goes unless a newer point was verified: the
 * newest verified point always stays. `now` is in milliseconds since the Unix epoch.
 */
export function expiredPoints(
  points: readonly AgedPoint[],
  verified: ReadonlySet<string>,
  { keepDays, keepAtLeast }: Pick<BackupSettings, 'keepDays' | 'keepAtLeast'>,
  now: number,
): string[] {
  const sorted = [...points].sort((a, b) => (a.takenAt < b.takenAt ? -1 : 1));
  const proof = sorted.findLastIndex(({ id }) => verified.has(id));
  if (proof < 0) return [];
  const younger = (ms: number) => sorted.filter(({ takenAt }) => now - Date.parse(takenAt) < ms);
  const kept = new Set([
    ...sorted.slice(proof),
    ...sorted.slice(-keepAtLeast),
    ...younger(everyPointHours * hour),
    ...lastOfEach(younger(hourlyHours * hour), hour),
    ...lastOfEach(younger(keepDays * day), day),
  ]);
  return sorted.filter((point) => !kept.has(point)).map(({ id }) => id);
}
