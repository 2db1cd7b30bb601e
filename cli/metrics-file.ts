import { readFile, stat } from 'node:fs/promises';
import { EpsilonError } from '../lib/errors/epsilon-error.ts';
import type { Reading } from '../lib/scaling/hourly-series.ts';
import { ratesOf, readingsOf } from '../lib/scaling/metrics-file.ts';

/** Bytes of a metrics file at most; 28 days by the minute are 2 MB. */
const largestFile = 64 * 1024 * 1024;

/**
 * Readings of a CSV file that an option names; of a counter its rates. Errors: SCALING_METRICS_UNREADABLE, and those of
 * `readingsOf`.
 */
export async function readMetricsFile(file: string, counter = false): Promise<Reading[]> {
  const unreadable = (why: string) => new EpsilonError('SCALING_METRICS_UNREADABLE', `${file} ${why}.`);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw unreadable('is no file that can be read');
  if (found.size > largestFile)
    throw new EpsilonError(
      'SCALING_METRICS_INVALID',
      `${file} has ${found.size} bytes; at most ${largestFile} are read.`,
    );
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw unreadable(`cannot be read: ${cause.message}`);
  });
  const readings = readingsOf(text, file);
  return counter ? ratesOf(readings) : readings;
}
