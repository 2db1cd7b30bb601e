import { readFile, stat } from 'node:fs/promises';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import type { Reading } from '../lib/scaling/hourly-series.ts';
import { ratesOf, readingsOf, usageOf } from '../lib/scaling/metrics-file.ts';
import type { Usage } from '../lib/scaling/usage.ts';

/** Bytes of a metrics file at most; 28 days by the minute are 2 MB. */
const largestFile = 64 * 1024 * 1024;

async function textOf(file: string): Promise<string> {
  const unreadable = (why: string) => new EpsilonError('SCALING_METRICS_UNREADABLE', `${file} ${why}.`);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw unreadable('is no file that can be read');
  if (found.size > largestFile)
    throw new EpsilonError(
      'SCALING_METRICS_INVALID',
      `${file} has ${found.size} bytes; at most ${largestFile} are read.`,
    );
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw unreadable(`cannot be read: ${cause.message}`);
  });
}

/** Readings of a CSV file that an option names. Errors: SCALING_METRICS_UNREADABLE, and those of `readingsOf`. */
export async function readMetricsFile(file: string): Promise<Reading[]> {
  return readingsOf(await textOf(file), file);
}

/** The same, of a counter its rates, with what replicas used, where the file says so. */
export async function readLoadFile(
  file: string,
  counter = false,
): Promise<{ readonly readings: Reading[]; readonly usage: Usage[] }> {
  const text = await textOf(file);
  const readings = readingsOf(text, file);
  return { readings: counter ? ratesOf(readings) : readings, usage: usageOf(text, file) };
}
