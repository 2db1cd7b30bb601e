import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { type Forecast, forecast } from '../../lib/scaling/forecast.ts';
import { hourly, type Reading } from '../../lib/scaling/hourly-series.ts';
import { ratesOf, readingsOf } from '../../lib/scaling/metrics-file.ts';
import { toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

interface PlanOptions {
  readonly metrics: string;
  readonly counter?: boolean;
}

/** Bytes of a metrics file at most; 28 days by the minute are 2 MB. */
const largestFile = 64 * 1024 * 1024;

async function readMetrics({ metrics, counter }: PlanOptions): Promise<Reading[]> {
  const found = await stat(metrics).catch(() => undefined);
  if (!found?.isFile())
    throw new EpsilonError('SCALING_METRICS_UNREADABLE', `--metrics ${metrics} is no file that can be read.`);
  if (found.size > largestFile)
    throw new EpsilonError(
      'SCALING_METRICS_INVALID',
      `${metrics} has ${found.size} bytes; at most ${largestFile} are read.`,
    );
  const readings = readingsOf(await readFile(metrics, 'utf8'), metrics);
  return counter ? ratesOf(readings) : readings;
}

const short = (value: number) => Number(value.toPrecision(4));

function textOf(session: Session, told: Forecast, notes: readonly string[]): string {
  const rows = told.hours.map(({ at, value, low, high }) => [
    toTheSecond(new Date(at).toISOString()),
    short(value),
    short(low),
    short(high),
  ]);
  return [
    ...notes.map((note) => `note: ${note}`),
    `Forecast of the next ${told.hours.length} hours (${told.basis}):`,
    table(session.output, ['HOUR', 'LOAD', 'LOW', 'HIGH'], rows),
  ].join('\n');
}

async function plan(session: Session, options: PlanOptions): Promise<void> {
  const series = hourly(await readMetrics(options), 'mean');
  const told = forecast(series);
  const hours = told.hours.map(({ at, value, low, high }) => ({
    at: new Date(at).toISOString(),
    load: short(value),
    low: short(low),
    high: short(high),
  }));
  print(session.output, { notes: series.notes, forecast: { basis: told.basis, hours } }, () =>
    textOf(session, told, series.notes),
  );
}

/** `scale ...`. */
export function addScale(program: Command, session: () => Session): void {
  const scale = program.command('scale').description('forecast load and plan capacity for it');
  scale
    .command('plan')
    .description('forecast the load of the next 48 hours from a file of measurements')
    .requiredOption('--metrics <file>', 'CSV with the columns timestamp and value, up to 28 days')
    .option('--counter', 'the values are those of a counter that only rises; plan for its rate')
    .action((options: PlanOptions) => plan(session(), options));
}
