import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TraceSink } from '../../lib/ports/trace-sink.ts';
import type { Span } from '../../lib/tracing/span.ts';

/** A span as OTLP has it in JSON. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number; readonly message?: string };
}

/** A collector that takes OTLP over HTTP in JSON, and keeps what it was sent, request by request. */
export async function openCollector() {
  const requests: ReceivedSpan[][] = [];
  const collector = {
    status: 200,
    resource: [] as unknown,
    headers: {} as Readonly<Record<string, unknown>>,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans = [] } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly resourceSpans?: readonly {
          readonly resource: { readonly attributes: unknown };
          readonly scopeSpans: readonly { readonly spans: ReceivedSpan[] }[];
        }[];
      };
      collector.resource = resourceSpans[0]?.resource.attributes;
      collector.headers = request.headers;
      if (collector.status === 200 && request.url === '/v1/traces')
        requests.push(resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  // It keeps no process alive.
  await once(server.listen(0, '127.0.0.1').unref(), 'listening');
  return Object.assign(collector, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    requests,
    close: () => server.close(),
  });
}

const span: Span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: 'c'.repeat(16),
  name: 'train',
  from: 1_700_000_000_123,
  until: 1_700_000_001_000,
  attributes: { stage: 'train', attempt: 2, spot: true },
  links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) }],
  error: 'exited with 1',
};

/** What every sink does; `open` makes one that sends to a collector of this host. */
export function describeTraceSink(name: string, open: (endpoint: string) => TraceSink): void {
  describe(`the trace sink of ${name}`, () => {
    let collector: Awaited<ReturnType<typeof openCollector>>;
    beforeAll(async () => {
      collector = await openCollector();
    });
    beforeEach(() => {
      collector.requests.length = 0;
      collector.status = 200;
    });
    afterAll(() => collector.close());

    it('sends spans in one request, with ids, times, attributes, links and errors', async () => {
      const { error: _, parentSpanId: _parent, links: _links, ...good } = span;
      await open(collector.endpoint).send([span, { ...good, spanId: 'f'.repeat(16) }]);
      expect(collector.requests).toHaveLength(1);
      const [sent, other] = collector.requests[0] ?? [];
      expect(sent).toMatchObject({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        name: 'train',
        startTimeUnixNano: '1700000000123000000',
        endTimeUnixNano: '1700000001000000000',
        links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) }],
        status: { code: 2, message: 'exited with 1' },
      });
      expect(sent?.attributes).toEqual([
        { key: 'stage', value: { stringValue: 'train' } },
        { key: 'attempt', value: { intValue: 2 } },
        { key: 'spot', value: { boolValue: true } },
      ]);
      expect(other).toMatchObject({ spanId: 'f'.repeat(16), status: { code: 1 } });
      expect(other?.parentSpanId).toBeUndefined();
      expect(collector.resource).toContainEqual({ key: 'service.name', value: { stringValue: 'epsilon' } });
    });

    it('sends nothing for no spans', async () => {
      await open(collector.endpoint).send([]);
      expect(collector.requests).toEqual([]);
    });

    it.each([
      [503, 'THROTTLED'],
      [429, 'THROTTLED'],
      [400, 'TRACES_REFUSED'],
    ])('an answer of %s is %s', async (status, code) => {
      collector.status = status;
      await expect(open(collector.endpoint).send([span])).rejects.toMatchObject({ code });
    });

    it('a collector that is not there may be asked again', async () => {
      await expect(open('http://127.0.0.1:9/v1/traces').send([span])).rejects.toMatchObject({
        name: 'Throttled',
      });
    });
  });
}
