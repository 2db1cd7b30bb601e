import type { Forecast, ForecastHour } from './forecast.ts';
import { quantileOf } from './forecast.ts';
import { type HourlySeries, hourMs, type Reading } from './hourly-series.ts';

/** Milliseconds of a slot: how often decisions are made. */
export const slotMs = 600_000;

/** Slots of an hour. */
const slotsPerHour = hourMs / slotMs;

/** Days that are asked how the load moves within an hour, and the fewest that are believed. */
const shapeDays = { most: 28, fewest: 3 } as const;

/** An hour is like the one that is forecast when its peak was at least this part of it. */
const alike = 0.5;

/** Highest reading of every slot from a series' first hour on; NaN without one. */
export function slotPeaks(readings: readonly Reading[], { startsAt, values }: HourlySeries): Float64Array {
  const peaks = new Float64Array(values.length * slotsPerHour).fill(Number.NaN);
  for (const { at, value } of readings) {
    const slot = Math.floor((at - startsAt) / slotMs);
    if (slot < 0 || slot >= peaks.length || !Number.isFinite(value)) continue;
    const peak = peaks[slot] ?? Number.NaN;
    peaks[slot] = Number.isNaN(peak) ? value : Math.max(peak, value);
  }
  return peaks;
}

/** For each slot of an hour the largest part of the hour's peak that it had on days like it. */
function shapeOf(peaks: Float64Array, { values }: HourlySeries, ahead: number, expected: number): number[] {
  const hour = values.length + ahead;
  const parts = Array.from({ length: slotsPerHour }, () => 0);
  let days = 0;
  for (let day = 1; day <= shapeDays.most + Math.ceil(ahead / 24); day += 1) {
    const then = hour - 24 * day;
    if (then >= values.length) continue;
    if (then < 0) break;
    const peak = values[then] ?? 0;
    if (peak < alike * expected || peak === 0) continue;
    const own = [...peaks.subarray(then * slotsPerHour, (then + 1) * slotsPerHour)];
    if (own.some(Number.isNaN)) continue;
    days += 1;
    for (const [slot, value] of own.entries()) parts[slot] = Math.max(parts[slot] ?? 0, value / peak);
  }
  return days < shapeDays.fewest ? parts.fill(1) : parts.map((part) => Math.min(1, part));
}

/** A slot of ten minutes, and the load that it will hardly exceed. */
export interface Slot {
  /** When it begins, in milliseconds. */
  readonly at: number;
  readonly load: number;
}

/**
 * The load of the slots to come: the forecast of their hour's peak, so many standard deviations up, by the part of it that slots of that time
 * have had on days like it.
 */
export function slotsAhead(
  told: Forecast,
  peaks: Float64Array,
  series: HourlySeries,
  deviations: number,
): Slot[] {
  const slots: Slot[] = [];
  for (const [ahead, hour] of told.hours.entries()) {
    const high = quantileOf(hour, told.offset, deviations);
    for (const [slot, part] of shapeOf(peaks, series, ahead, hour.value).entries())
      slots.push({ at: startOf(hour, slot), load: high * part });
  }
  return slots;
}

const startOf = ({ at }: ForecastHour, slot: number) => at + slot * slotMs;
