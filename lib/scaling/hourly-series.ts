import { EpsilonError } from '../errors/epsilon-error.ts';

/** A measured load: requests a second, cores, bytes. */
export interface Reading {
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  readonly value: number;
  /** More might have come: nothing could have carried it (usage.ts). */
  readonly censored?: boolean;
}

/** Load by the hour, without holes. */
export interface HourlySeries {
  /** When the first hour begins, in milliseconds. */
  readonly startsAt: number;
  readonly values: Float64Array;
  /** 1: measured. 0: filled in, because nothing usable was measured, or because what was is far from everything around it. */
  readonly measured: Uint8Array;
  /** What was wrong with the readings, one sentence each. */
  readonly notes: readonly string[];
}

/** Milliseconds of an hour. */
export const hourMs = 3_600_000;

/** What is looked back at, in hours: 28 days. */
export const longestHistory = 28 * 24;

/** The least that a forecast can be made from, in hours. */
const shortestHistory = 24;

/** Hours of the same season before and after, nearest first. */
const seasonal = [24, 48, 168, 72, 96, 120, 144] as const;

/** How far from the hours around it, in robust standard deviations, an hour has to be to be no load of this service. */
const farOut = 8;

/** The longest stretch, in hours, that can be an outlier; a longer one is how the load is now. */
const longestOutlier = 2;

/** No load is larger; squares of what is larger are no numbers any more. */
const largest = 1e15;

/** What was found wrong, counted. */
interface Faults {
  unusable: number;
  negative: number;
  backwards: number;
  repeated: number;
}

const refuse = (code: string, message: string, details: Record<string, unknown> = {}) =>
  new EpsilonError(code, message, { details });

function usable(readings: readonly Reading[], faults: Faults): Reading[] {
  const kept: Reading[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const reading of readings) {
    if (!Number.isFinite(reading.at) || !(Math.abs(reading.value) <= largest)) faults.unusable += 1;
    else if (reading.value < 0) faults.negative += 1;
    else {
      if (reading.at < last) faults.backwards += 1;
      last = Math.max(last, reading.at);
      kept.push(reading);
    }
  }
  return kept;
}

/** In the order of their time; of several at one time the one that came last. */
function inOrder(readings: readonly Reading[], faults: Faults): Reading[] {
  const byTime = new Map<number, Reading>();
  for (const reading of readings) {
    if (byTime.has(reading.at)) faults.repeated += 1;
    byTime.set(reading.at, reading);
  }
  return [...byTime.values()].sort((one, other) => one.at - other.at);
}

const times = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

function sentences(faults: Faults): string[] {
  return [
    ...(faults.unusable > 0
      ? [`${times(faults.unusable, 'reading')} left out: not a number, or beyond any load`]
      : []),
    ...(faults.negative > 0
      ? [`${times(faults.negative, 'reading')} left out: below 0, as after a counter began again`]
      : []),
    ...(faults.backwards > 0
      ? [`${times(faults.backwards, 'reading')} earlier than the one before: put in order`]
      : []),
    ...(faults.repeated > 0
      ? [`${times(faults.repeated, 'reading')} of a time that was there already: the last one counts`]
      : []),
  ];
}

/** Whether the values never fall, as those of a counter. */
function onlyRises(readings: readonly Reading[]): boolean {
  let rises = 0;
  for (let at = 1; at < readings.length; at += 1) {
    const step = (readings[at]?.value ?? 0) - (readings[at - 1]?.value ?? 0);
    if (step < 0) return false;
    if (step > 0) rises += 1;
  }
  return readings.length >= 48 && rises > readings.length / 2;
}

const median = (values: readonly number[]) => {
  const sorted = [...values].sort((one, other) => one - other);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
};

/** What was measured in the same hour of other days; where there is none, between the neighbours. */
function likely(values: Float64Array, measured: Uint8Array, hour: number): number {
  const alike = seasonal
    .flatMap((hours) => [hour - hours, hour + hours])
    .filter((other) => measured[other] === 1)
    .slice(0, 6)
    .map((other) => values[other] ?? 0);
  if (alike.length > 0) return median(alike);
  let before = hour - 1;
  while (before >= 0 && measured[before] === 0) before -= 1;
  let after = hour + 1;
  while (after < values.length && measured[after] === 0) after += 1;
  const ends = [before, after].filter((end) => measured[end] === 1).map((end) => values[end] ?? 0);
  return ends.reduce((sum, value) => sum + value, 0) / Math.max(1, ends.length);
}

/** Marks short stretches as not measured that are far from the same hours of other days and from the hours beside them. */
function withoutOutliers(values: Float64Array, measured: Uint8Array): number {
  const distances = Float64Array.from(values, (value, hour) =>
    measured[hour] === 1 ? value - likely(values, measured, hour) : 0,
  );
  const sizes = [...distances.map(Math.abs)].filter((_, hour) => measured[hour] === 1);
  const level = median([...values].filter((_, hour) => measured[hour] === 1));
  const far = farOut * Math.max(1.4826 * median(sizes), 0.05 * level);
  const beyond = (hour: number) => measured[hour] === 1 && Math.abs(distances[hour] ?? 0) > far;
  let found = 0;
  for (let hour = 0; hour < values.length; hour += 1) {
    if (!beyond(hour)) continue;
    let end = hour;
    while (beyond(end)) end += 1;
    const short = end - hour <= longestOutlier && end < values.length - 1;
    for (let inside = hour; short && inside < end; inside += 1) measured[inside] = 0;
    if (short) found += end - hour;
    hour = end;
  }
  return found;
}

/** Fills what was not measured, in place; tells how many hours that were, outliers among them. */
function fill(values: Float64Array, measured: Uint8Array, notes: string[]): void {
  const missing = measured.reduce((count, one) => count + (one === 0 ? 1 : 0), 0);
  if (missing > values.length / 2)
    throw refuse(
      'SCALING_HISTORY_SPARSE',
      `${missing} of ${values.length} hours have no usable reading; at least half of them are needed`,
      { hours: values.length, missing },
    );
  const outliers = withoutOutliers(values, measured);
  const filled = values.map((value, hour) => (measured[hour] === 1 ? value : likely(values, measured, hour)));
  values.set(filled);
  if (missing > 0) notes.push(`${times(missing, 'hour')} without a reading: filled in from other days`);
  if (outliers > 0)
    notes.push(`${times(outliers, 'hour')} far from the same hours of other days: not learned from`);
}

/** Hours in which more might have come have at least what the same hours of other days had. */
function atLeastUsual(
  { values, measured }: Pick<HourlySeries, 'values' | 'measured'>,
  bounded: ReadonlySet<number>,
  notes: string[],
): void {
  if (bounded.size === 0) return;
  const free = measured.map((one, hour) => (bounded.has(hour) ? 0 : one));
  const usual = [...bounded].map((hour) => [hour, likely(values, free, hour)] as const);
  for (const [hour, value] of usual) values[hour] = Math.max(values[hour] ?? 0, value);
  notes.push(`${times(bounded.size, 'hour')} in which more might have come: taken as no less than usual`);
}

/** Values that are hours already, one after another, all of them; not a number: not measured. */
export function seriesOf(hours: readonly number[], startsAt = 0): HourlySeries {
  const values = Float64Array.from(hours);
  const measured = Uint8Array.from(values, (value) => (Number.isFinite(value) && value >= 0 ? 1 : 0));
  const notes: string[] = [];
  fill(values, measured, notes);
  return { startsAt, values, measured, notes };
}

/** How the readings of an hour become its load. */
export type HourOf = 'mean' | 'peak';

/**
 * The last 28 days of readings by the hour (UTC): their mean, or their peak where capacity is wanted. The last hour counts only if it is over
 * (`until`). Errors: SCALING_HISTORY_EMPTY, SCALING_HISTORY_SHORT, SCALING_HISTORY_SPARSE, SCALING_COUNTER (values that only rise).
 */
export function hourly(
  readings: readonly Reading[],
  of: HourOf,
  until = Number.POSITIVE_INFINITY,
): HourlySeries {
  const faults: Faults = { unusable: 0, negative: 0, backwards: 0, repeated: 0 };
  const kept = inOrder(usable(readings, faults), faults).filter(({ at }) => at < until);
  const last = kept.at(-1);
  if (!last)
    throw refuse('SCALING_HISTORY_EMPTY', `none of ${times(readings.length, 'reading')} can be used`);
  if (onlyRises(kept))
    throw refuse(
      'SCALING_COUNTER',
      'the values only rise, as those of a counter do; the load is its rate (give --counter)',
    );
  const end = Math.floor(last.at / hourMs) + (until >= (Math.floor(last.at / hourMs) + 1) * hourMs ? 1 : 0);
  const first = Math.max(Math.floor((kept[0]?.at ?? 0) / hourMs), end - longestHistory);
  const count = end - first;
  if (count < shortestHistory)
    throw refuse(
      'SCALING_HISTORY_SHORT',
      `the history has ${times(Math.max(0, count), 'hour')}; a forecast needs at least ${shortestHistory}, better 14 days or more`,
      { hours: count },
    );
  const values = new Float64Array(count);
  const readingsOf = new Uint32Array(count);
  const bounded = new Set<number>();
  for (const { at, value, censored } of kept) {
    const hour = Math.floor(at / hourMs) - first;
    if (hour < 0 || hour >= count) continue;
    if (censored) bounded.add(hour);
    const sum = values[hour] ?? 0;
    values[hour] = of === 'peak' ? Math.max(sum, value) : sum + value;
    readingsOf[hour] = (readingsOf[hour] ?? 0) + 1;
  }
  const measured = Uint8Array.from(readingsOf, (one) => (one > 0 ? 1 : 0));
  if (of === 'mean')
    for (let hour = 0; hour < count; hour += 1)
      values[hour] = (values[hour] ?? 0) / Math.max(1, readingsOf[hour] ?? 0);
  const notes = sentences(faults);
  fill(values, measured, notes);
  atLeastUsual({ values, measured }, bounded, notes);
  return { startsAt: first * hourMs, values, measured, notes };
}
