import { SystemClock } from '../../lib/system/system-clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import { Engine } from '../../local/asl/engine/engine.ts';
import type { Journal } from '../../local/asl/journal/journal.ts';
import type { Integrations } from '../../local/asl/model/integrations.ts';

const clock = new SystemClock();

function integrations(
  functions: Readonly<Record<string, (payload: unknown) => Promise<unknown> | unknown>>,
  readObject: () => string,
): Integrations {
  const unused = async () => ({});
  return {
    invokeFunction: async ({ functionName, payload }) => functions[functionName]?.(payload),
    readObject: async () => new TextEncoder().encode(readObject()),
    writeObject: async () => {},
    putEvents: unused,
    snsPublish: unused,
    sqsSendMessage: unused,
  };
}

/** An engine without the limit on history: a benchmark of 10,000 items inline has more events than the service allows. */
export function makeEngine(
  journal: Journal,
  functions: Parameters<typeof integrations>[0] = {},
  readObject = () => '',
): Engine {
  return new Engine({
    journal,
    integrations: integrations(functions, readObject),
    clock,
    ids: systemIds(clock),
    random: Math.random,
    limits: { historyEvents: Number.POSITIVE_INFINITY, payloadBytes: Number.POSITIVE_INFINITY },
    onFault: (error) => {
      throw error;
    },
  });
}
