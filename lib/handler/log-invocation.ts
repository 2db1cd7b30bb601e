import type { MiddlewareObj } from '@middy/core';
import type { Ports } from '../ports/ports.ts';

/** Fields of an event that every line of its invocation should carry. */
function traceFields(event: unknown): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const look = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 2) return;
    for (const key of ['runId', 'tenantId', 'stage', 'attempt', 'traceId', 'logicalDate']) {
      const found = (value as Record<string, unknown>)[key];
      if ((typeof found === 'string' || typeof found === 'number') && fields[key] === undefined)
        fields[key] = found;
    }
    for (const key of ['detail', 'data']) look((value as Record<string, unknown>)[key], depth + 1);
  };
  look(event, 0);
  return fields;
}

function nameOf(error: unknown): { error: string; message: string } {
  return error instanceof Error
    ? { error: error.name, message: error.message }
    : { error: 'Unknown', message: String(error) };
}

/** One line and one duration per invocation; an error is logged once, here, and passed on unchanged. */
export function logInvocation(name: string, ports: () => Promise<Ports>): MiddlewareObj<unknown, unknown> {
  const started = new WeakMap<object, { at: number; fields: Record<string, unknown> }>();
  const finish = async (request: object, error?: unknown): Promise<void> => {
    const { log, metrics, clock } = await ports();
    const begun = started.get(request);
    const milliseconds = begun ? clock.now() - begun.at : 0;
    metrics.duration('HandlerDuration', milliseconds, { function: name });
    const fields = { function: name, ...begun?.fields, milliseconds };
    if (error === undefined) log.debug('handled', fields);
    else {
      metrics.count('HandlerErrors', 1, { function: name, error: nameOf(error).error });
      log.warn('handler failed', { ...fields, ...nameOf(error) });
    }
  };
  return {
    before: async (request) => {
      const { clock } = await ports();
      started.set(request, { at: clock.now(), fields: traceFields(request.event) });
    },
    after: (request) => finish(request),
    onError: (request) => finish(request, request.error),
  };
}
