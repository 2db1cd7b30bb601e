import { hasTail, newTail, surpriseOf, type Tail, widenTail } from './tail.ts';

/**
 * What a detector keeps of a series: plain numbers, a few hundred bytes as JSON, so that one hour is judged without reading the
 * hours before it.
 */
export interface DetectorState {
  /** Values seen. */
  readonly count: number;
  readonly level: number;
  /** Departures from the level by hour of the day (UTC), and how often each hour was seen. */
  readonly hours: readonly number[];
  readonly hourCounts: readonly number[];
  /** Departures from the level by day of the week, Sunday first. */
  readonly days: readonly number[];
  readonly dayCounts: readonly number[];
  /** Mean square of the clipped errors of the forecast. */
  readonly variance: number;
  /** Autocovariances of the departures from level and season, lags 0 and 1, and the last departure. */
  readonly covariance: readonly [number, number];
  readonly departure: number;
  readonly tail: Tail;
  /** The same for the value itself, without season: a value outside everything that was ever usual. */
  readonly mean: number;
  readonly spread: number;
  readonly range: Tail;
}

/** One value of a series. */
export interface Observation {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly value: number;
  /** Standard deviation that counting alone gives the value (sampling), in its units; 0 where there is none. */
  readonly sampling: number;
}

/** What a series was expected to be, and how far a value is from it. */
export interface Judgement {
  readonly expected: number;
  /** 99 % of usual values lie between these. */
  readonly low: number;
  readonly high: number;
  /**
   * Minus the decimal logarithm of the probability of a value at least this far from the expected one: 3 is one in a thousand.
   * 0 while the detector is learning.
   */
  readonly surprise: number;
  readonly learning: boolean;
}

/**
 * Values before which nothing is judged. Measured on clean hourly series: limits from fewer than 28 values raise false alarms ten
 * times as often as limits from 84.
 */
export const learningCount = 28;

/** Bound on what one value may teach, in standard deviations: an incident moves the baseline as little as a large usual value. */
const clip = 6;

/** Smallest share of a new value in level, hour, weekday and variance; each begins with a plain mean and slows down to this. */
const gains = { level: 0.005, hour: 0.05, day: 0.02, variance: 0.002, covariance: 0.01, range: 0.005 };

/** Values that an hour's or a weekday's departure counts as having seen at 0, so that young cells lean on the level. */
const shrinkage = { hour: 8, day: 50 };

/** Weight of a new value in a young variance, so that errors of an unfinished baseline are soon outweighed. */
const youth = 3;

/** 99 % of a normal distribution lies within this many standard deviations. */
const band = 2.576;

/** The state before the first value. */
export function newDetector(): DetectorState {
  const zeros = (length: number) => Array.from({ length }, () => 0);
  return {
    count: 0,
    level: 0,
    hours: zeros(24),
    hourCounts: zeros(24),
    days: zeros(7),
    dayCounts: zeros(7),
    variance: 0,
    covariance: [0, 0],
    departure: 0,
    tail: newTail(),
    mean: 0,
    spread: 0,
    range: newTail(),
  };
}

interface Forecast {
  readonly usual: number;
  readonly expected: number;
  readonly deviation: number;
  /** Share of the last departure that is expected to remain, 0 to 0.95. */
  readonly persistence: number;
}

/** Uncertainty of a young estimate: 1 + 10 / n, which is 1.36 at 28 values and vanishes. */
const widening = (count: number) => 1 + 10 / Math.max(1, count);

/** The smallest deviation that is told from 0, so that a constant series can be judged at all. */
const leastDeviation = (value: number) => 1e-9 * Math.max(1, Math.abs(value));

function forecast(state: DetectorState, at: number, sampling: number): Forecast {
  const date = new Date(at);
  const usual = state.level + (state.hours[date.getUTCHours()] ?? 0) + (state.days[date.getUTCDay()] ?? 0);
  const [own, next] = state.covariance;
  const persistence = own > 0 ? Math.min(0.95, Math.max(0, next / own)) : 0;
  const variance = Math.max(0, state.variance) * widening(state.count) + sampling * sampling;
  return {
    usual,
    persistence,
    expected: usual + persistence * state.departure,
    deviation: Math.max(Math.sqrt(variance), leastDeviation(usual)),
  };
}

const clipped = (value: number, bound: number) => Math.sign(value) * Math.min(Math.abs(value), bound);

/** `values` with one of them moved by a share of the departure that shrinks as the cell is seen more often. */
function nudged(
  values: readonly number[],
  counts: readonly number[],
  index: number,
  { departure, least, prior }: { departure: number; least: number; prior: number },
): { values: number[]; counts: number[] } {
  const gain = Math.max(least, 1 / ((counts[index] ?? 0) + prior));
  return {
    values: values.map((value, each) => (each === index ? value + gain * departure : value)),
    counts: counts.map((count, each) => (each === index ? count + 1 : count)),
  };
}

/** How far the value is from every usual one, whatever the hour; and the state of that question with the value in it. */
function judgeRange({ count, mean, spread, range }: DetectorState, value: number, sampling: number) {
  const deviation = Math.max(Math.sqrt(spread * widening(count) + sampling * sampling), leastDeviation(mean));
  const away = (value - mean) / deviation;
  const gain = Math.max(gains.range, youth / (count + youth));
  const error = count < 10 ? value - mean : clipped(away, clip) * deviation;
  return {
    surprise: surpriseOf(range, Math.abs(away)),
    learnt: {
      mean: mean + gain * error,
      spread: spread + gain * (error * error - spread),
      range: hasTail(count) ? widenTail(range, Math.abs(away), count) : range,
    },
  };
}

function learn(state: DetectorState, { at, value, sampling }: Observation, made: Forecast): DetectorState {
  const { count } = state;
  const young = count < 10;
  const away = value - made.usual;
  const stationary = made.deviation / Math.sqrt(1 - made.persistence * made.persistence);
  const departure = young ? away : clipped(away, clip * stationary);
  const error = young ? value - made.expected : clipped(value - made.expected, clip * made.deviation);
  const date = new Date(at);
  const hour = { departure, least: gains.hour, prior: shrinkage.hour };
  const hours = nudged(state.hours, state.hourCounts, date.getUTCHours(), hour);
  const day = { departure, least: gains.day, prior: shrinkage.day };
  const days = nudged(state.days, state.dayCounts, date.getUTCDay(), day);
  const keep = 1 - gains.covariance;
  const varianceGain = Math.max(gains.variance, youth / (count + youth));
  return {
    ...state,
    count: count + 1,
    level: state.level + Math.max(gains.level, 1 / (count + 1)) * departure,
    hours: hours.values,
    hourCounts: hours.counts,
    days: days.values,
    dayCounts: days.counts,
    variance: state.variance + varianceGain * (error * error - sampling * sampling - state.variance),
    covariance: [
      keep * state.covariance[0] + departure * departure,
      keep * state.covariance[1] + departure * state.departure,
    ],
    departure,
    tail: hasTail(count)
      ? widenTail(state.tail, Math.abs(value - made.expected) / made.deviation, count)
      : state.tail,
  };
}

/**
 * Judges a value against the values before it and then learns from it. Level, hour of the day and weekday are learnt with shared
 * strength by clipped means that forget slowly; the scale is one for the series; the probability of what is far out follows the
 * series' own tail. A value counts as far out by the hour it comes in, or by being outside everything usual, whichever is rarer.
 */
export function observe(
  state: DetectorState,
  observation: Observation,
): { readonly judgement: Judgement; readonly state: DetectorState } {
  const { at, value, sampling } = observation;
  if (!Number.isFinite(value)) throw new RangeError(`A series cannot hold ${value}.`);
  if (state.count === 0) {
    const judgement = { expected: value, low: value, high: value, surprise: 0, learning: true };
    const begun = { ...state, level: value, mean: value };
    return { judgement, state: learn(begun, observation, forecast(begun, at, sampling)) };
  }
  const made = forecast(state, at, sampling);
  const bySeason = surpriseOf(state.tail, Math.abs(value - made.expected) / made.deviation);
  const byRange = judgeRange(state, value, sampling);
  const learning = state.count < learningCount;
  return {
    judgement: {
      expected: made.expected,
      low: made.expected - band * made.deviation,
      high: made.expected + band * made.deviation,
      surprise: learning ? 0 : Math.max(bySeason, byRange.surprise),
      learning,
    },
    state: { ...learn(state, observation, made), ...byRange.learnt },
  };
}
