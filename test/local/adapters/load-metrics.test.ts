import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileLoadMetrics } from '../../../local/adapters/load-metrics.ts';
import { loadMetricsContract } from '../../contract/load-metrics.ts';
import { freshDir } from '../../fresh-dir.ts';

loadMetricsContract('a CSV file', (readings) => {
  const file = join(freshDir(), 'load.csv');
  if (readings) {
    const lines = readings.toReversed().map(({ at, value }) => `${new Date(at).toISOString()},${value}`);
    writeFileSync(file, ['timestamp,value', ...lines].join('\n'));
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
