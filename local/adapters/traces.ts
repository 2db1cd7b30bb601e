import type { ServiceConfig } from '../../lib/config/service-config.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { TraceSink } from '../../lib/ports/trace-sink.ts';
import { noTraceSink, otlpTraceSink } from '../../lib/system/otlp-trace-sink.ts';

/** Spans of this host: to the collector that the settings name. Error `CONFIG_INVALID` for X-Ray, whose endpoint wants a role. */
export function localTraces({ tracing, environment }: ServiceConfig): TraceSink {
  if (tracing.mode === 'off') return noTraceSink;
  if (tracing.mode === 'otlp') return otlpTraceSink({ endpoint: tracing.endpoint, environment });
  throw new EpsilonError(
    'CONFIG_INVALID',
    'Setting "tracing.mode" is xray, which only deployed functions can reach; name a collector (otlp).',
    { details: { key: 'tracing.mode' } },
  );
}
