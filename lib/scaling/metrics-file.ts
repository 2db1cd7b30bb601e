import { EpsilonError } from '../errors/epsilon-error.ts';
import type { Reading } from './hourly-series.ts';
import type { Usage } from './usage.ts';

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

/** A file's rows as cells, and its columns' names. */
interface Rows {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const invalid = (file: string, why: string) =>
  new EpsilonError('SCALING_METRICS_INVALID', `${file} ${why}`, { details: { file } });

function rowsOf(text: string, file: string): Rows {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
  const [head, ...rows] = lines;
  if (head === undefined) throw invalid(file, 'is empty; it needs a first line "timestamp,value"');
  const delimiter = [',', ';', '\t'].find((one) => head.includes(one)) ?? ',';
  return {
    names: cellsOf(head, delimiter).map((name) => name.toLowerCase()),
    rows: rows.map((row) => cellsOf(row, delimiter)),
  };
}

/** Where a file's columns are. Error: SCALING_METRICS_INVALID, without one of those. */
function columnsOf({ names }: Rows, file: string): { readonly time: number; readonly value: number } {
  const time = columnOf(names, timeNames);
  const value = columnOf(names, valueNames);
  if (time >= 0 && value >= 0) return { time, value };
  throw invalid(
    file,
    `needs the columns "timestamp" and "value" in its first line (it has: ${shown(names.slice(0, 8).join(', '), 120)})`,
  );
}

/**
 * Readings of a CSV file, `timestamp,value` with a first line that names the columns. What is no instant or no number becomes NaN, which
 * whoever makes hours of it counts. Error: SCALING_METRICS_INVALID, without such columns or without any instant.
 */
export function readingsOf(text: string, file: string): Reading[] {
  const found = rowsOf(text, file);
  const { time, value } = columnsOf(found, file);
  const readings = found.rows.map((cells) => ({
    at: instantOf(cells[time] ?? ''),
    value: numberOf(cells[value]),
  }));
  if (readings.length > 0 && readings.every(({ at }) => Number.isNaN(at)))
    throw invalid(
      file,
      `has no instant in its column "${found.names[time]}": line 2 says "${shown(found.rows[0]?.[time] ?? '', 40)}"; ISO 8601 or seconds since 1970 are read`,
    );
  return readings;
}

/**
 * What replicas used at the times of such a file, where it also has the columns `cores` and `ready`, and perhaps `wanted`; none otherwise. Error:
 * as above.
 */
export function usageOf(text: string, file: string): Usage[] {
  const found = rowsOf(text, file);
  const { time } = columnsOf(found, file);
  const [cores, ready, wanted] = ['cores', 'ready', 'wanted'].map((name) => found.names.indexOf(name));
  if (cores === undefined || ready === undefined || cores < 0 || ready < 0) return [];
  return found.rows.flatMap((cells): Usage[] => {
    const at = instantOf(cells[time] ?? '');
    const use = { at, cores: numberOf(cells[cores]), ready: numberOf(cells[ready]) };
    const asked = numberOf(cells[wanted ?? -1]);
    if (!Number.isFinite(at + use.cores + use.ready)) return [];
    return [{ ...use, ...(Number.isFinite(asked) ? { wanted: asked } : {}) }];
  });
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
