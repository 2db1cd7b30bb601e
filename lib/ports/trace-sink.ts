import type { Span } from '../tracing/span.ts';

/** Where spans go. All implementations pass test/contract/trace-sink.ts. */
export interface TraceSink {
  /**
   * Sends spans in one request; none for no spans, and none where nobody collects them. A span that is sent again is the same one. Errors: `Throttled` when
   * the collector does not answer or is too busy, `TRACES_REFUSED` when it will never take them.
   */
  send(spans: readonly Span[]): Promise<void>;
}
