import { readFile } from 'node:fs/promises';
import type { LoadMetrics } from '../../lib/ports/serving/load-metrics.ts';
import { readingsOf } from '../../lib/scaling/metrics-file.ts';

/** Load from a CSV file (`timestamp,value`) that something else writes; no readings while there is none. */
export function fileLoadMetrics(file: string): LoadMetrics {
  return {
    async readings(from, until) {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) return [];
      return readingsOf(text, file)
        .filter(({ at }) => at >= from && at < until)
        .sort((one, other) => one.at - other.at);
    },
  };
}
