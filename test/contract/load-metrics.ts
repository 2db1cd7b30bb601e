import { describe, expect, it } from 'vitest';
import type { LoadMetrics } from '../../lib/ports/serving/load-metrics.ts';
import type { Reading } from '../../lib/scaling/hourly-series.ts';

const start = Date.UTC(2026, 10, 24, 2);
const minute = 60_000;

/** Readings every five minutes for two hours. */
const measured: readonly Reading[] = Array.from({ length: 24 }, (_, at) => ({
  at: start + at * 5 * minute,
  value: at + 0.5,
}));

/** Every sentence of the port's documentation, for an adapter over the readings that are given to it. */
export function loadMetricsContract(
  name: string,
  make: (readings: readonly Reading[] | undefined) => Promise<LoadMetrics> | LoadMetrics,
): void {
  describe(`load metrics: ${name}`, () => {
    it('readings from one instant up to another come oldest first, the last instant excluded', async () => {
      const metrics = await make(measured);
      expect(await metrics.readings(start + 10 * minute, start + 25 * minute)).toEqual(measured.slice(2, 5));
    });

    it('readings of a time in which nothing was measured are none', async () => {
      const metrics = await make(measured);
      expect(await metrics.readings(start - 60 * minute, start)).toEqual([]);
    });

    it('readings are none where nothing is configured that could be measured', async () => {
      const metrics = await make(undefined);
      expect(await metrics.readings(start, start + 60 * minute)).toEqual([]);
    });
  });
}
