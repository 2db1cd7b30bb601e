import { knowsHour, learnSeason, mayBeShifted, newSeason, type Season, usualAt } from './season.ts';
import { hasTail, newTail, surpriseOf, type Tail, widenTail } from './tail.ts';

/**
 * What a detector keeps of a series: plain numbers, a few hundred bytes as JSON, so that one hour is judged without reading the
 * hours before it.
 */
export interface DetectorState {
  /** Values seen, and when the first was, in milliseconds. */
  readonly count: number;
  readonly begun: number;
  readonly season: Season;
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
  /** The largest surprise of the last values, and how many values ago it was: what was told. */
  readonly told: { readonly surprise: number; readonly ago: number };
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
  /** Nothing as surprising was seen lately: an incident that lasts is told when it begins, and again when it grows. */
  readonly news: boolean;
  readonly learning: boolean;
}

/**
 * Values before which nothing is judged. Measured on clean hourly series: limits from fewer than 28 values raise false alarms ten
 * times as often as limits from 84.
 */
export const learningCount = 28;

/** Bound on what one value may teach, in standard deviations: an incident moves the baseline as little as a large usual value. */
const clip = 6;

/** Smallest share of a new value in scale and persistence; each begins with a plain mean and slows down to this. */
const gains = { variance: 0.002, weeklyVariance: 0.008, covariance: 0.01, range: 0.005 };

/** Weight of a new value in a young variance, so that errors of an unfinished baseline are soon outweighed. */
const youth = 3;

/** 99 % of a normal distribution lies within this many standard deviations. */
const band = 2.576;

/** The state before the first value; `weekly` keeps what is particular to each hour of the week, which makes it three times as large. */
export function newDetector({ weekly }: { readonly weekly: boolean }): DetectorState {
  return {
    count: 0,
    begun: 0,
    season: newSeason({ weekly }),
    variance: 0,
    covariance: [0, 0],
    departure: 0,
    tail: newTail(weekly ? 'normal' : 'exponential'),
    mean: 0,
    spread: 0,
    range: newTail('exponential'),
    told: { surprise: 0, ago: 0 },
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

function forecast(state: DetectorState, { at, value, sampling }: Observation): Forecast {
  const usual = usualAt(state.season, at, value);
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

/** What is told from this surprise on is an incident, and far values within a day of it are of the same one. */
const incident = { surprise: 4.4, lasts: 24, beyond: 2 };

/**
 * Whether an error says nothing of how far usual values are off: one of an incident that was told already, which would make the next one be
 * missed for weeks, and one of days on which clocks may have moved, when the nearest of several forecasts counts.
 */
function saysNothing(
  { told, season }: DetectorState,
  { at, value }: Observation,
  { expected, deviation }: Forecast,
): boolean {
  if (season.week.length === 0) return false;
  const far = Math.abs(value - expected) > incident.beyond * deviation;
  return mayBeShifted(season, at) || (far && told.surprise >= incident.surprise && told.ago < incident.lasts);
}

function learn(state: DetectorState, { at, value, sampling }: Observation, made: Forecast): DetectorState {
  const { count } = state;
  const young = count < 10;
  const away = value - made.usual;
  const stationary = made.deviation / Math.sqrt(1 - made.persistence * made.persistence);
  const departure = young ? away : clipped(away, clip * stationary);
  const error = young ? value - made.expected : clipped(value - made.expected, clip * made.deviation);
  const keep = 1 - gains.covariance;
  const weekly = state.season.week.length > 0;
  const held = saysNothing(state, { at, value, sampling }, made);
  const varianceGain = Math.max(weekly ? gains.weeklyVariance : gains.variance, youth / (count + youth));
  return {
    ...state,
    count: count + 1,
    season: learnSeason(state.season, {
      at,
      value,
      bound: young ? Number.POSITIVE_INFINITY : clip * stationary,
      seen: count,
    }),
    variance: held
      ? state.variance
      : state.variance + varianceGain * (error * error - sampling * sampling - state.variance),
    covariance: [
      keep * state.covariance[0] + departure * departure,
      keep * state.covariance[1] + departure * state.departure,
    ],
    departure,
    tail:
      hasTail(count) && !held && !(weekly && at - state.begun < 2 * week)
        ? widenTail(state.tail, Math.abs(value - made.expected) / made.deviation, count)
        : state.tail,
  };
}

/** What of the smaller of two surprises is added to the larger one: two that agree are rarer than one. */
const agreement = 0.25;

const week = 7 * 86_400_000;

/** Values for which a surprise counts as told: three days of hours. */
const toldFor = 72;

/** The judgement of a value that is not the first. */
function judge(state: DetectorState, { at, value }: Observation, made: Forecast, byRange: number): Judgement {
  const { expected, deviation } = made;
  const bySeason = surpriseOf(state.tail, Math.abs(value - expected) / deviation);
  const unknown = at - state.begun < week && !knowsHour(state.season, at);
  const learning = state.count < learningCount || unknown;
  const both = Math.max(bySeason, byRange) + agreement * Math.min(bySeason, byRange);
  const surprise = learning ? 0 : both;
  return {
    expected,
    low: expected - band * deviation,
    high: expected + band * deviation,
    surprise,
    news: surprise > state.told.surprise || state.told.ago >= toldFor,
    learning,
  };
}

function told({ told: before }: DetectorState, { surprise, news }: Judgement): DetectorState['told'] {
  return news ? { surprise, ago: 0 } : { surprise: before.surprise, ago: before.ago + 1 };
}

/**
 * Judges a value against the values before it and then learns from it. The season is learnt by clipped means that forget slowly; the
 * scale is one for the series; the probability of what is far out follows the series' own tail. A value counts as far out by the hour
 * it comes in, or by being outside everything usual, whichever is rarer, and more so by both.
 */
export function observe(
  state: DetectorState,
  observation: Observation,
): { readonly judgement: Judgement; readonly state: DetectorState } {
  const { value, sampling } = observation;
  if (!Number.isFinite(value)) throw new RangeError(`A series cannot hold ${value}.`);
  if (state.count === 0) {
    const bounds = { expected: value, low: value, high: value };
    const begun = { ...state, begun: observation.at, season: { ...state.season, level: value }, mean: value };
    return {
      judgement: { ...bounds, surprise: 0, news: false, learning: true },
      state: learn(begun, observation, forecast(begun, observation)),
    };
  }
  const made = forecast(state, observation);
  const byRange = judgeRange(state, value, sampling);
  const judgement = judge(state, observation, made, byRange.surprise);
  return {
    judgement,
    state: { ...learn(state, observation, made), ...byRange.learnt, told: told(state, judgement) },
  };
}
