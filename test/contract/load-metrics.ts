import { describe, expect, it } from 'vitest';
import type { LoadMetrics } from '../../lib/ports/serving/load-metrics.ts';
import type { Reading } from '../../lib/scaling/hourly-series.ts';
import type { Usage } from '../../lib/scaling/usage.ts';

const start = Date.UTC(2026, 10, 24, 2);
const minute = 60_000;

/** Readings every five minutes for two hours. */
const measured: readonly Reading[] = Array.from({ length: 24 }, (_, at) => ({
  at: start + at * 5 * minute,
  value: at + 0.5,
}));

/** What three replicas used at these times; four were wanted. */
const used: readonly Usage[] = measured.map(({ at }) => ({ at, cores: 1.5, ready: 3, wanted: 4 }));

/** Every sentence of the port's documentation, for an adapter over the readings that are given to it. */
export function loadMetricsContract(
  name: string,
  make: (
    readings: readonly Reading[] | undefined,
    usage?: readonly Usage[],
  ) => Promise<LoadMetrics> | LoadMetrics,
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

    it('use of replicas comes in the same way, and none where it is not measured', async () => {
      const times = [start + 10 * minute, start + 25 * minute] as const;
      expect(await (await make(measured, used)).usage(...times)).toEqual(used.slice(2, 5));
      expect(await (await make(measured)).usage(...times)).toEqual([]);
    });

    it('readings are none where nothing is configured that could be measured', async () => {
      const metrics = await make(undefined);
      expect(await metrics.readings(start, start + 60 * minute)).toEqual([]);
      expect(await metrics.usage(start, start + 60 * minute)).toEqual([]);
    });
  });
}
