import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { EventBus } from './bus.ts';
import { largestEvent } from './envelope.ts';

/** Answer of PutEvents, in the order of the entries; an entry that was refused carries its error. */
export interface PutEventsResult {
  readonly FailedEntryCount: number;
  readonly Entries: readonly {
    readonly EventId?: string;
    readonly ErrorCode?: string;
    readonly ErrorMessage?: string;
  }[];
}

/** Entries one call may have, as on the service. */
const mostEntries = 10;

function schema(pointer: string, message: string): EpsilonError {
  return new EpsilonError('EVENT_SCHEMA', `PutEvents at ${pointer}: ${message}.`, { details: { pointer } });
}

type Entry = {
  readonly Source?: string;
  readonly DetailType?: string;
  readonly Detail?: unknown;
  readonly Resources?: readonly string[];
  readonly Time?: string;
};

/** `Detail` is JSON text on AWS; a state machine's arguments may hold the object itself. */
function detailOf(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  if (Buffer.byteLength(given) > largestEvent)
    throw new EpsilonError('EVENT_TOO_LARGE', `Event: its detail is larger than ${largestEvent} bytes.`);
  try {
    return JSON.parse(given) as unknown;
  } catch (error) {
    throw schema('/Detail', `it is not JSON (${(error as Error).message})`);
  }
}

function putOne(bus: EventBus, value: unknown): PutEventsResult['Entries'][number] {
  try {
    const { Source: source = '', DetailType: detailType = '', ...entry } = (value ?? {}) as Entry;
    const { Detail, Resources: resources, Time: time } = entry;
    const [result] = bus.put([
      {
        source,
        detailType,
        detail: detailOf(Detail),
        ...(resources === undefined ? {} : { resources }),
        ...(time === undefined ? {} : { time }),
      },
    ]);
    if (result?.error === undefined) return { EventId: result?.id ?? '' };
    return { ErrorCode: result.error, ErrorMessage: result.message ?? result.error };
  } catch (error) {
    if (!(error instanceof EpsilonError)) throw error;
    return { ErrorCode: error.code, ErrorMessage: error.message };
  }
}

/**
 * PutEvents on the in-process bus: each entry (`Source`, `DetailType`, `Detail`, `Resources`, `Time`) is accepted or
 * refused by itself. A call without entries or with more than ten is refused whole (`EVENT_SCHEMA`).
 */
export function putEvents(bus: EventBus, entries: readonly unknown[]): PutEventsResult {
  if (entries.length < 1 || entries.length > mostEntries)
    throw schema('/Entries', `a call has 1 to ${mostEntries} entries, not ${entries.length}`);
  const results = entries.map((entry) => putOne(bus, entry));
  return {
    FailedEntryCount: results.filter(({ ErrorCode }) => ErrorCode !== undefined).length,
    Entries: results,
  };
}
