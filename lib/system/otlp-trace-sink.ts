import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { Throttled } from '../errors/run-errors.ts';
import type { TraceSink } from '../ports/trace-sink.ts';
import type { Span } from '../tracing/span.ts';

/** Headers of a request, made for its body: a signature, where the collector wants one. */
export type SignBody = (url: URL, body: string) => Promise<Readonly<Record<string, string>>>;

/** Where spans are sent. */
export interface OtlpTarget {
  readonly endpoint: string;
  readonly environment: string;
  readonly sign?: SignBody;
  readonly fetch?: typeof fetch;
}

/** Milliseconds for one request. */
const patienceMs = 10_000;

type ReadableSpan = Parameters<
  typeof import('@opentelemetry/otlp-transformer').JsonTraceSerializer.serializeRequest
>[0][number];

/** Seconds and nanoseconds. */
const time = (milliseconds: number): [number, number] => [
  Math.floor(milliseconds / 1_000),
  Math.round((milliseconds % 1_000) * 1e6),
];

const contextOf = ({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>) => ({
  traceId,
  spanId,
  traceFlags: 1,
});

function readable(span: Span, resource: ReadableSpan['resource']): ReadableSpan {
  const { traceId, parentSpanId, name, from, until, attributes, links = [], error } = span;
  return {
    name,
    // Internal: nobody is called.
    kind: 0,
    spanContext: () => contextOf(span),
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: contextOf({ traceId, spanId: parentSpanId }) }),
    startTime: time(from),
    endTime: time(until),
    duration: time(until - from),
    ended: true,
    // 1 is OK, 2 an error.
    status: error === undefined ? { code: 1 } : { code: 2, message: error },
    attributes: { ...attributes },
    links: links.map((link) => ({ context: contextOf(link) })),
    events: [],
    resource,
    instrumentationScope: { name: 'epsilon' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Spans by OTLP over HTTP, in JSON as OpenTelemetry writes it; its library is loaded with the first span. */
export function otlpTraceSink({ endpoint, environment, sign, fetch: post = fetch }: OtlpTarget): TraceSink {
  async function bodyOf(spans: readonly Span[]): Promise<string> {
    const [{ JsonTraceSerializer }, { resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/otlp-transformer'),
      import('@opentelemetry/resources'),
    ]);
    const resource = resourceFromAttributes({
      'service.name': 'epsilon',
      'deployment.environment.name': environment,
    });
    const bytes = JsonTraceSerializer.serializeRequest(spans.map((span) => readable(span, resource)));
    return new TextDecoder().decode(bytes);
  }

  async function request(body: string): Promise<Response> {
    const url = new URL(endpoint);
    const signed = await sign?.(url, body);
    try {
      return await post(url, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
        headers: { 'content-type': 'application/json', ...signed },
        body,
      });
    } catch (error) {
      throw new Throttled(
        `The collector at ${endpoint} does not answer: ${(error as Error).message}.`,
        error,
      );
    }
  }

  return {
    send: async (spans) => {
      if (spans.length === 0) return;
      const { ok, status, text } = await request(await bodyOf(spans)).then(async (response) => ({
        ok: response.ok,
        status: response.status,
        text: (await response.text()).slice(0, 300),
      }));
      if (ok) return;
      const what = `The collector at ${endpoint} answered ${status}: ${text}`;
      if (status === 429 || status >= 500) throw new Throttled(`${what}.`);
      throw new EpsilonError('TRACES_REFUSED', `${what}.`, { exitCode: exitCodes.backend });
    },
  };
}

/** Where nobody collects spans. */
export const noTraceSink: TraceSink = { send: async () => {} };
