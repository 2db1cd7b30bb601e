import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { forecast } from '../../lib/scaling/forecast.ts';
import { longestHistory, seriesOf } from '../../lib/scaling/hourly-series.ts';
import {
  type Interval,
  type M4Series,
  mase,
  msis,
  naive2,
  readM4,
  scaleOf,
  seasonalNaive,
  smape,
} from './m4.ts';

/** Hours ahead, as in M4 and in AWS' predictive scaling. */
const horizon = 48;

/** What a method tells of one series. */
interface Told {
  readonly values: readonly number[];
  readonly intervals?: readonly Interval[];
}

type Method = (train: readonly number[]) => Told;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const pointOnly =
  (method: (train: readonly number[], hours: number) => number[]): Method =>
  (train) => ({ values: method(train, horizon) });

/** The product's forecast of the last so many hours. */
const ours =
  (hours: number): Method =>
  (train) => {
    const told = forecast(seriesOf(train.slice(-hours)), horizon).hours;
    return { values: told.map(({ value }) => value), intervals: told };
  };

interface Scores {
  readonly smape: number;
  readonly mase: number;
  readonly msis?: number;
  readonly coverage?: number;
  readonly msPerSeries: number;
}

/** Averages over all series, every one scaled by its own history, as M4 does it. */
function scoresOf(all: readonly M4Series[], method: Method): Scores {
  const began = performance.now();
  const told = all.map(({ train }) => method(train));
  const msPerSeries = (performance.now() - began) / all.length;
  const each = all.map(({ train, test }, at) => {
    const { values, intervals } = told[at] ?? { values: [] };
    const scale = scaleOf(train);
    const inside = intervals?.map(({ low, high }, hour) => {
      const value = test[hour] ?? 0;
      return value >= low && value <= high ? 1 : 0;
    });
    return {
      smape: smape(test, values),
      mase: mase(test, values, scale),
      msis: intervals ? msis(test, intervals, scale) : Number.NaN,
      coverage: inside ? mean(inside) : Number.NaN,
    };
  });
  const of = (name: 'smape' | 'mase' | 'msis' | 'coverage') => mean(each.map((one) => one[name]));
  return {
    smape: of('smape'),
    mase: of('mase'),
    ...(Number.isNaN(of('msis')) ? {} : { msis: of('msis'), coverage: of('coverage') }),
    msPerSeries,
  };
}

/** All methods on one set; the overall weighted average (OWA) is against Naive2 on the same set. */
function compare(all: readonly M4Series[]): Record<string, unknown> {
  const methods: Readonly<Record<string, Method>> = {
    naive2: pointOnly(naive2),
    seasonalNaive: pointOnly(seasonalNaive),
    'ours, whole histories': ours(Number.POSITIVE_INFINITY),
    'ours, 28 days': ours(longestHistory),
  };
  const scores = Object.entries(methods).map(([name, method]) => ({ name, ...scoresOf(all, method) }));
  const base = scores[0] ?? { smape: 1, mase: 1 };
  return Object.fromEntries(
    scores.map(({ name, ...score }) => [
      name,
      { owa: (score.smape / base.smape + score.mase / base.mase) / 2, ...score },
    ]),
  );
}

/** The folder named after `--m4`. */
function folderAsked(): string | undefined {
  const at = process.argv.indexOf('--m4');
  return at < 0 ? undefined : process.argv[at + 1];
}

/**
 * Accuracy of the load forecast on M4's hourly series, measured as M4 does, beside Naive2 and seasonal naive; and on the last 48 hours
 * of the training parts, on which alone methods were chosen. The data are not in the repository.
 */
export async function benchForecast(): Promise<Record<string, unknown>> {
  const folder = folderAsked();
  if (folder === undefined || !existsSync(join(folder, 'Hourly-train.csv')))
    return {
      'not measured':
        'needs --m4 FOLDER with Hourly-train.csv and Hourly-test.csv (Mcompetitions/M4-methods, Dataset)',
    };
  const all = readM4(folder);
  const earlier = all.map(({ train }) => ({ train: train.slice(0, -horizon), test: train.slice(-horizon) }));
  return {
    series: all.length,
    hours: horizon,
    test: compare(all),
    'last 48 h of the training parts': compare(earlier),
  };
}
