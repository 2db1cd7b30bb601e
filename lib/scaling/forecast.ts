import { EpsilonError } from '../errors/epsilon-error.ts';
import { type HourlySeries, hourMs } from './hourly-series.ts';
import { regress } from './ridge.ts';

/** One hour of a forecast. */
export interface ForecastHour {
  /** When it begins, in milliseconds. */
  readonly at: number;
  readonly value: number;
  /** The hour's load is between low and high 19 times of 20. */
  readonly low: number;
  readonly high: number;
  /** Standard deviation of the logarithm of (load + `offset`). */
  readonly spread: number;
}

/** Hours to come. */
export interface Forecast {
  readonly hours: readonly ForecastHour[];
  /** What is added before logarithms are taken, so that an hour of 0 has one. */
  readonly offset: number;
  /** What the forecast was made from, a sentence. */
  readonly basis: string;
}

/** Hours that are forecast unless told otherwise. */
const usualHours = 48;

/** The last hours, the same hours of the last days, the same hours of the last week. */
const allLags = [1, 2, 3, 23, 24, 25, 48, 72, 96, 120, 144, 167, 168, 169] as const;
/** The same hours of the last seven days alone: does not follow what has only just happened. */
const dayLags = [24, 48, 72, 96, 120, 144, 168] as const;

/** Hours that are left to learn from behind the longest lag. */
const leastRows = 48;

/** Below so many hours there is no regression: the same hours of the days before. */
const leastForRegression = 96;

/** Part of the mean load that is added before logarithms are taken. */
const offsetShare = 0.01;

/**
 * Backtests: so many forecasts from earlier days beside what came then. Errors of the hours around are taken together (`around` on each
 * side), and a part of all of them (`pooled`), because eight errors alone are few.
 */
const backtests = { count: 8, apart: 24, around: 3, pooled: 0.2 } as const;

/** What standard deviations learned from eight backtests are multiplied by, chosen on the training parts of M4's hourly series. */
const widening = 1.05;

/** Standard deviations on either side that hold 19 of 20. */
const nineteenOfTwenty = 1.96;

const lagsWithin = (lags: readonly number[], count: number) => lags.filter((lag) => lag <= count - leastRows);

interface Prepared {
  readonly values: Float64Array;
  readonly measured: Uint8Array;
  readonly offset: number;
}

/** The same hours of the days before, the newest counting most. */
function sameHours({ values }: Prepared, hours: number): Float64Array {
  return Float64Array.from({ length: hours }, (_, hour) => {
    let sum = 0;
    let weight = 0;
    for (let at = values.length - 24 + (hour % 24), share = 1; at >= 0; at -= 24, share /= 2) {
      sum += share * (values[at] ?? 0);
      weight += share;
    }
    return sum / Math.max(weight, Number.EPSILON);
  });
}

/**
 * The middle of four regressions: on logarithms; on logarithms of the last 21 days alone, damped; on the same hours of other days alone;
 * on square roots, which follow peaks more closely. Chosen on the training parts of M4's hourly series.
 */
function point(prepared: Prepared, hours: number): Float64Array {
  const { values, measured, offset } = prepared;
  if (values.length < leastForRegression) return sameHours(prepared, hours);
  const logs = values.map((value) => Math.log(value + offset));
  const roots = values.map(Math.sqrt);
  const back = (recent: number) => Math.max(0, values.length - recent);
  const by = (series: Float64Array, lags: readonly number[], penalty: number, recent = values.length) =>
    regress(
      series.subarray(back(recent)),
      measured.subarray(back(recent)),
      { lags: lagsWithin(lags, Math.min(recent, series.length)), penalty },
      hours,
    );
  const load = (log: number) => Math.exp(log) - offset;
  const models = [
    by(logs, allLags, 0.3).map(load),
    by(logs, allLags, 1, 504).map(load),
    by(logs, dayLags, 1).map(load),
    by(roots, allLags, 0.3).map((root) => Math.max(root, 0) ** 2),
  ];
  return Float64Array.from({ length: hours }, (_, hour) => {
    const sorted = models.map((model) => model[hour] ?? 0).sort((one, other) => one - other);
    return Math.max(0, ((sorted[1] ?? 0) + (sorted[2] ?? 0)) / 2);
  });
}

/** Squares of the errors (of logarithms) of forecasts from earlier days, by how many hours ahead they were; one list per backtest. */
function backtestErrors(prepared: Prepared, hours: number): Float64Array[] {
  const { values, measured, offset } = prepared;
  const errors: Float64Array[] = [];
  for (let test = 0; test < backtests.count; test += 1) {
    const origin = values.length - hours - backtests.apart * test;
    if (origin < leastRows) break;
    const earlier = {
      values: values.subarray(0, origin),
      measured: measured.subarray(0, origin),
      offset,
    };
    const told = point(earlier, hours);
    errors.push(
      told.map((value, hour) =>
        measured[origin + hour] === 0
          ? Number.NaN
          : (Math.log((values[origin + hour] ?? 0) + offset) - Math.log(value + offset)) ** 2,
      ),
    );
  }
  return errors;
}

const meanOf = (values: readonly number[]) =>
  values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of a forecast's logarithm for each hour ahead. */
function spreads(prepared: Prepared, hours: number): number[] {
  const errors = backtestErrors(prepared, hours);
  const seen = errors.map((one) => [...one].filter(Number.isFinite));
  const all = meanOf(seen.flat());
  if (!Number.isFinite(all)) return Array.from({ length: hours }, () => withoutBacktest(prepared));
  // Few backtests say little about how large errors can become.
  const few = 1 + 1 / errors.length ** 2;
  return Array.from({ length: hours }, (_, hour) => {
    const near = errors.flatMap((one) =>
      [...one.subarray(Math.max(0, hour - backtests.around), hour + backtests.around + 1)].filter(
        Number.isFinite,
      ),
    );
    const own = near.length === 0 ? all : meanOf(near);
    return Math.sqrt((1 - backtests.pooled) * own + backtests.pooled * all) * widening * few;
  });
}

/** With too few days for a backtest: how much one hour differs from the same hour a day later, twice; with one day, how hours differ. */
function withoutBacktest({ values, offset }: Prepared): number {
  const logs = values.map((value) => Math.log(value + offset));
  const apart = logs.length > 24 ? 24 : 1;
  const steps = [...logs.subarray(apart)].map((log, at) => (log - (logs[at] ?? 0)) ** 2);
  const middle = meanOf([...logs]);
  const whole = meanOf([...logs].map((log) => (log - middle) ** 2));
  return 2 * Math.sqrt(Math.max(meanOf(steps), whole / 4));
}

function basisOf(hours: number): string {
  const days = Math.floor(hours / 24);
  const many = days === 1 ? '1 day' : `${days} days`;
  if (hours < leastForRegression) return `${many} of history: the same hours of the days before`;
  if (hours < 169 + leastRows) return `${many} of history: hours and days, no week yet`;
  return `${many} of history: hours, days and weeks`;
}

/** The load of an hour that is exceeded with probability 1 - `probability` only. */
export function quantileOf(hour: ForecastHour, offset: number, deviations: number): number {
  return Math.max(0, (hour.value + offset) * Math.exp(deviations * hour.spread) - offset);
}

/**
 * Forecast of the hours after a series: daily and weekly seasons and level from ridge regressions on its own past, intervals from the errors of
 * backtests. A few milliseconds a series. Error: SCALING_HISTORY_SHORT, below 24 hours.
 */
export function forecast(series: HourlySeries, hours = usualHours): Forecast {
  const { values, measured, startsAt } = series;
  if (values.length < 24)
    throw new EpsilonError(
      'SCALING_HISTORY_SHORT',
      `the history has ${values.length} hours; a forecast needs at least 24`,
    );
  const mean = meanOf([...values]);
  const offset = mean > 0 ? offsetShare * mean : 1;
  const prepared: Prepared = { values, measured, offset };
  const told = point(prepared, hours);
  const spread = spreads(prepared, hours);
  const end = startsAt + values.length * hourMs;
  const list = [...told].map((value, ahead): ForecastHour => {
    const hour = { at: end + ahead * hourMs, value, low: value, high: value, spread: spread[ahead] ?? 0 };
    return {
      ...hour,
      low: quantileOf(hour, offset, -nineteenOfTwenty),
      high: quantileOf(hour, offset, nineteenOfTwenty),
    };
  });
  return { hours: list, offset, basis: basisOf(values.length) };
}
