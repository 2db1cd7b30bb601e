import type { LoadMetrics } from '../ports/serving/load-metrics.ts';
import type { MetricSource, ScalingConfig } from '../scaling/configuration.ts';
import type { Reading } from '../scaling/hourly-series.ts';
import type { Usage } from '../scaling/usage.ts';
import { prometheusRange } from './prometheus.ts';

/** Reads a metric that has a name, as CloudWatch has them. */
export type ReadNamed = (
  metric: Exclude<MetricSource, { readonly query: string }>,
  times: readonly [number, number],
) => Promise<Reading[]>;

/** Load and use of what the settings name: queries from Prometheus, metrics from what knows them; nothing where nothing is decided. */
export function configuredLoadMetrics(
  scaling: ScalingConfig | { readonly mode: 'off' },
  named: ReadNamed,
  send?: typeof fetch,
): LoadMetrics {
  if (scaling.mode === 'off') return { readings: async () => [], usage: async () => [] };
  const where = { url: scaling.prometheus ?? '', ...(send ? { send } : {}) };
  const read = async (metric: MetricSource, from: number, until: number) => {
    const times = [from, until] as const;
    const found = await ('query' in metric
      ? prometheusRange(where, metric.query, times)
      : named(metric, times));
    return found.filter(({ at }) => at >= from && at < until).sort((one, other) => one.at - other.at);
  };
  const { metric, learn } = scaling;
  return {
    readings: (from, until) => read(metric, from, until),
    async usage(from, until) {
      if (!learn) return [];
      const [cores, ready, wanted] = await Promise.all(
        [learn.cores, learn.ready, learn.wanted].map((source) => source && read(source, from, until)),
      );
      const at = (readings: readonly Reading[] = []) => new Map(readings.map((one) => [one.at, one.value]));
      const [readyAt, wantedAt] = [at(ready), at(wanted)];
      return (cores ?? []).flatMap((one): Usage[] => {
        const there = readyAt.get(one.at);
        const asked = wantedAt.get(one.at);
        if (there === undefined) return [];
        return [
          { at: one.at, cores: one.value, ready: there, ...(asked === undefined ? {} : { wanted: asked }) },
        ];
      });
    },
  };
}
