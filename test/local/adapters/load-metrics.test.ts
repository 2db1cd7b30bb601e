import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileLoadMetrics } from '../../../local/adapters/load-metrics.ts';
import { loadMetricsContract } from '../../contract/load-metrics.ts';
import { freshDir } from '../../fresh-dir.ts';

loadMetricsContract('a CSV file', (readings, usage) => {
  const file = join(freshDir(), 'load.csv');
  if (readings) {
    const lines = readings.map(({ at, value }, index) => {
      const { cores, ready, wanted } = usage?.[index] ?? {};
      return [new Date(at).toISOString(), value, ...(usage ? [cores, ready, wanted] : [])].join(',');
    });
    const head = `timestamp,value${usage ? ',cores,ready,wanted' : ''}`;
    writeFileSync(file, [head, ...lines.reverse()].join('\n'));
  }
  return fileLoadMetrics(file);
});

it('load file without its columns is refused with what it lacks', async () => {
  const file = join(freshDir(), 'load.csv');
  writeFileSync(file, 'a,b\n1,2\n');
  await expect(fileLoadMetrics(file).readings(0, 1)).rejects.toMatchObject({
    code: 'SCALING_METRICS_INVALID',
  });
});
