import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One series of M4's hourly set: what the methods saw, and what came. */
export interface M4Series {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** Hours of a season. */
const season = 24;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const rowsOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) =>
      line
        .split(',')
        .slice(1)
        .map((cell) => cell.replaceAll('"', '').trim())
        .filter((cell) => cell !== '' && cell !== 'NA')
        .map(Number),
    );

/** The 414 series of `Hourly-train.csv` and `Hourly-test.csv` in a folder. */
export function readM4(folder: string): M4Series[] {
  const tests = rowsOf(join(folder, 'Hourly-test.csv'));
  return rowsOf(join(folder, 'Hourly-train.csv')).map((train, at) => ({ train, test: tests[at] ?? [] }));
}

/** Mean absolute difference between an hour and the same hour a day before: what MASE and MSIS are scaled by. */
export function scaleOf(train: readonly number[]): number {
  return mean(train.slice(season).map((value, at) => Math.abs(value - (train[at] ?? 0))));
}

/** Symmetric mean absolute percentage error, 0 to 200. */
export function smape(test: readonly number[], told: readonly number[]): number {
  return mean(
    test.map((value, at) => {
      const other = told[at] ?? 0;
      return (200 * Math.abs(value - other)) / (Math.abs(value) + Math.abs(other));
    }),
  );
}

/** Mean absolute scaled error. */
export function mase(test: readonly number[], told: readonly number[], scale: number): number {
  return mean(test.map((value, at) => Math.abs(value - (told[at] ?? 0)))) / scale;
}

/** An interval for each hour. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Mean scaled interval score of intervals that should hold 95 %. */
export function msis(test: readonly number[], told: readonly Interval[], scale: number): number {
  const outside = 2 / 0.05;
  return (
    mean(
      test.map((value, at) => {
        const { low, high } = told[at] ?? { low: 0, high: 0 };
        return high - low + outside * (Math.max(0, low - value) + Math.max(0, value - high));
      }),
    ) / scale
  );
}

/** The same hours of the last day, again and again. */
export const seasonalNaive = (train: readonly number[], hours: number) =>
  Array.from({ length: hours }, (_, at) => train[train.length - season + (at % season)] ?? 0);

/** Whether a series is seasonal, as M4 tests it: its autocorrelation a season apart, at 90 %. */
function isSeasonal(train: readonly number[]): boolean {
  if (train.length < 3 * season) return false;
  const middle = mean(train);
  const around = train.map((value) => value - middle);
  const variance = around.reduce((sum, value) => sum + value * value, 0);
  const correlation = Array.from({ length: season }, (_, back) =>
    around
      .slice(back + 1)
      .reduce((sum, value, at) => sum + (value * (around[at] ?? 0)) / Math.max(variance, Number.EPSILON), 0),
  );
  const before = correlation.slice(0, -1).reduce((sum, value) => sum + 2 * value * value, 1);
  return Math.abs(correlation.at(-1) ?? 0) > (1.645 / Math.sqrt(train.length)) * Math.sqrt(before);
}

/** Factors of the hours of a season by classical multiplicative decomposition. */
function seasonalFactors(train: readonly number[]): number[] {
  const half = season / 2;
  const ratios = Array.from({ length: season }, (): number[] => []);
  for (let at = half; at < train.length - half; at += 1) {
    const inside = train.slice(at - half + 1, at + half).reduce((sum, value) => sum + value, 0);
    const trend = (inside + ((train[at - half] ?? 0) + (train[at + half] ?? 0)) / 2) / season;
    ratios[at % season]?.push((train[at] ?? 0) / trend);
  }
  const factors = ratios.map(mean);
  const middle = mean(factors);
  return factors.map((factor) => factor / middle);
}

/** Naive2: the last value, with the season taken out and put back; every overall score is against it. */
export function naive2(train: readonly number[], hours: number): number[] {
  if (!isSeasonal(train)) return Array.from({ length: hours }, () => train.at(-1) ?? 0);
  const factors = seasonalFactors(train);
  const factor = (at: number) => factors[at % season] ?? 1;
  const last = (train.at(-1) ?? 0) / factor(train.length - 1);
  // M4 repeats the factors of the last `season` hours.
  return Array.from({ length: hours }, (_, at) => last * factor(train.length + (at % season)));
}
