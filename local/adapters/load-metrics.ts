import { readFile } from 'node:fs/promises';
import type { LoadMetrics } from '../../lib/ports/serving/load-metrics.ts';
import { readingsOf, usageOf } from '../../lib/scaling/metrics-file.ts';

/**
 * Load and use from a CSV file (`timestamp,value`, and `cores,ready,wanted` where use is measured) that something else writes; none while there is
 * none.
 */
export function fileLoadMetrics(file: string): LoadMetrics {
  const text = () =>
    readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  const between = <T extends { readonly at: number }>(found: readonly T[], from: number, until: number) =>
    found.filter(({ at }) => at >= from && at < until).sort((one, other) => one.at - other.at);
  return {
    async readings(from, until) {
      const read = await text();
      return read === undefined ? [] : between(readingsOf(read, file), from, until);
    },
    async usage(from, until) {
      const read = await text();
      return read === undefined ? [] : between(usageOf(read, file), from, until);
    },
  };
}
