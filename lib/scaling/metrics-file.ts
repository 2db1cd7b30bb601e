import { EpsilonError } from '../errors/epsilon-error.ts';
import type { Reading } from './hourly-series.ts';

/** Names that a column is found by, the format's own first. */
const timeNames = ['timestamp', 'time', 'date'] as const;
const valueNames = ['value', 'load', 'requests'] as const;

const cellsOf = (line: string, delimiter: string) =>
  line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));

/** Words of a file, as a terminal may show them. */
const shown = (text: string, most: number) => text.replace(/\p{C}/gu, '?').slice(0, most);

const columnOf = (names: readonly string[], wanted: readonly string[]) =>
  wanted.map((name) => names.indexOf(name)).find((at) => at >= 0) ?? -1;

/** Milliseconds of an instant: ISO 8601 (UTC unless it names a zone), seconds or milliseconds since 1970; NaN for anything else. */
export function instantOf(text: string): number {
  if (/^\d{9,11}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/.exec(
    text,
  );
  return iso ? Date.parse(`${iso[1]}T${iso[2] ?? '00:00'}${iso[3] ?? 'Z'}`) : Number.NaN;
}

const numberOf = (text: string | undefined) =>
  text === undefined || text === '' ? Number.NaN : Number(text);

/**
 * Readings of a CSV file, `timestamp,value` with a first line that names the columns. What is no instant or no number becomes NaN, which
 * whoever makes hours of it counts. Error: SCALING_METRICS_INVALID, without such columns or without any instant.
 */
export function readingsOf(text: string, file: string): Reading[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
  const [head, ...rows] = lines;
  const refuse = (why: string) =>
    new EpsilonError('SCALING_METRICS_INVALID', `${file} ${why}`, { details: { file } });
  if (head === undefined) throw refuse('is empty; it needs a first line "timestamp,value"');
  const delimiter = [',', ';', '\t'].find((one) => head.includes(one)) ?? ',';
  const names = cellsOf(head, delimiter).map((name) => name.toLowerCase());
  const time = columnOf(names, timeNames);
  const value = columnOf(names, valueNames);
  if (time < 0 || value < 0)
    throw refuse(
      `needs the columns "timestamp" and "value" in its first line (it has: ${shown(names.slice(0, 8).join(', '), 120)})`,
    );
  const readings = rows.map((row) => {
    const cells = cellsOf(row, delimiter);
    return { at: instantOf(cells[time] ?? ''), value: numberOf(cells[value]) };
  });
  const firstBad = readings.findIndex(({ at }) => Number.isNaN(at));
  if (firstBad >= 0 && readings.every(({ at }) => Number.isNaN(at)))
    throw refuse(
      `has no instant in its column "${names[time]}": line 2 says "${shown(cellsOf(rows[0] ?? '', delimiter)[time] ?? '', 40)}"; ISO 8601 or seconds since 1970 are read`,
    );
  return readings;
}

/** Rates (per second) of a counter's readings, in the order of their time; where it fell it had begun again at 0. */
export function ratesOf(readings: readonly Reading[]): Reading[] {
  const ordered = readings
    .filter(({ at, value }) => Number.isFinite(at) && Number.isFinite(value) && value >= 0)
    .sort((one, other) => one.at - other.at);
  return ordered.slice(1).flatMap((reading, index) => {
    const before = ordered[index];
    if (!before || reading.at === before.at) return [];
    const grown = reading.value >= before.value ? reading.value - before.value : reading.value;
    return [{ at: reading.at, value: (1000 * grown) / (reading.at - before.at) }];
  });
}
