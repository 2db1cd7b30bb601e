import type { MiddlewareObj } from '@middy/core';
import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import type { BasePorts } from '../ports/ports.ts';

/** Not as `message`: that is the line's own, and the logger drops a second one. */
function nameOf(error: unknown): { error: string; cause: string } {
  return error instanceof Error
    ? { error: error.name, cause: error.message }
    : { error: 'Unknown', cause: String(error) };
}

/** Whether an error is nobody's outcome: a bug, an event of a form we do not know, or a backend that repeating does not cure. */
function isFault(error: unknown): boolean {
  if (!(error instanceof EpsilonError) || error.code === 'EVENT_SCHEMA') return true;
  return error.exitCode === exitCodes.backend && !error.retryable;
}

/**
 * One line and one duration per invocation. An error is logged once, here, and passed on unchanged;
 * what was counted is written also then.
 */
export function logInvocation(
  name: string,
  ports: () => Promise<BasePorts>,
): MiddlewareObj<unknown, unknown> {
  const started = new WeakMap<object, number>();
  const finish = async (request: object, error?: unknown): Promise<void> => {
    const { log, metrics, clock } = await ports();
    const milliseconds = clock.now() - (started.get(request) ?? clock.now());
    metrics.duration('HandlerDuration', milliseconds, { function: name });
    const fields = { function: name, milliseconds };
    if (error === undefined) log.debug('handled', fields);
    else {
      metrics.count('HandlerErrors', 1, { function: name, error: nameOf(error).error });
      if (isFault(error)) metrics.count('HandlerFaults', 1, { function: name });
      log.warn('handler failed', { ...fields, ...nameOf(error) });
    }
    metrics.flush?.();
  };
  return {
    before: async (request) => {
      const { clock } = await ports();
      started.set(request, clock.now());
    },
    after: (request) => finish(request),
    onError: (request) => finish(request, request.error),
  };
}
