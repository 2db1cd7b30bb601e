import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import { traceFields } from '../../event-schemas/trace-fields.ts';
import type { Metrics } from '../../ports/metrics.ts';

/** Namespace of every metric in CloudWatch. */
const metricsNamespace = 'Epsilon';

type Dimensions = Readonly<Record<string, string>>;

/**
 * Counters and durations as embedded metrics: `flush` writes them to the function's log, from which CloudWatch makes
 * metrics without a call. Each one has the dimension `environment` alone, which alarms use, and its own dimensions
 * beside it; the trace id is in the line, not in a dimension.
 */
export function createPowertoolsMetrics(
  environment: string,
  make: () => Powertools = () => new Powertools({ namespace: metricsNamespace }),
): Metrics {
  const bySet = new Map<string, { readonly sink: Powertools; readonly dimensions: Dimensions }>();

  const sinkOf = (dimensions: Dimensions) => {
    const key = JSON.stringify(Object.entries(dimensions).sort());
    const there = bySet.get(key);
    if (there) return there.sink;
    const sink = make();
    // Powertools adds "service" by itself; there is one service, and alarms name their dimensions exactly.
    sink.clearDefaultDimensions();
    sink.setDefaultDimensions({ environment });
    bySet.set(key, { sink, dimensions });
    return sink;
  };

  return {
    count: (name, value, dimensions = {}) => {
      sinkOf(dimensions).addMetric(name, 'Count', value);
    },
    duration: (name, milliseconds, dimensions = {}) => {
      sinkOf(dimensions).addMetric(name, 'Milliseconds', milliseconds);
    },
    flush: () => {
      const { traceId, runId } = traceFields();
      for (const { sink, dimensions } of bySet.values()) {
        if (!sink.hasStoredMetrics()) continue;
        sink.addDimensions({});
        if (Object.keys(dimensions).length > 0) sink.addDimensions({ ...dimensions });
        if (traceId !== undefined) sink.addMetadata('traceId', String(traceId));
        if (runId !== undefined) sink.addMetadata('runId', String(runId));
        sink.publishStoredMetrics();
      }
    },
  };
}
