import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import type { HistoryEvent } from '../../../lib/ports/workflows.ts';
import type { Json } from '../model/json.ts';
import type { Mock, MockedResponse } from '../model/mock.ts';

/** A history event, recorded by the service or made here. */
export type RecordedEvent = Readonly<Record<string, unknown>> & {
  readonly id: number;
  readonly type: string;
  readonly previousEventId?: number;
};

/** The JSON value that a field of an event holds as text. Throws `RECORDING_INVALID`. */
export function valueIn({ id, type }: RecordedEvent, field: string, text: unknown): Json {
  try {
    return JSON.parse(String(text)) as Json;
  } catch {
    throw new EpsilonError('RECORDING_INVALID', `The ${field} of event ${id} (${type}) is not JSON.`);
  }
}

type Details = Readonly<Record<string, unknown>>;

function detailsOf(event: RecordedEvent): Details {
  const found = Object.entries(event).find(([key]) => key.endsWith('EventDetails'));
  return (found?.[1] ?? {}) as Details;
}

/** What a Task's last event says it was answered; nothing while it is under way. */
function answerIn(event: RecordedEvent): MockedResponse | undefined {
  const { output, error, cause } = detailsOf(event);
  if (event.type === 'TaskSucceeded') return { Return: valueIn(event, 'output', output ?? 'null') };
  if (event.type === 'TaskTimedOut')
    return { TimeOut: error === 'States.HeartbeatTimeout' ? 'heartbeat' : 'timeout' };
  return event.type === 'TaskFailed'
    ? { Throw: { Error: String(error ?? ''), Cause: String(cause ?? '') } }
    : undefined;
}

/**
 * Answers of a recorded history's Tasks, by state and in the order in which they were scheduled there. Throws
 * `RECORDING_INVALID`.
 */
export function mocksFrom(events: readonly RecordedEvent[]): Mock {
  const byId = new Map(events.map((event) => [event.id, event]));
  const scheduledBy = (event: RecordedEvent): RecordedEvent | undefined => {
    let found: RecordedEvent | undefined = event;
    while (found && found.type !== 'TaskScheduled') found = byId.get(found.previousEventId ?? 0);
    return found;
  };
  const answers = new Map<number, MockedResponse>();
  for (const event of events) {
    const answer = answerIn(event);
    const scheduled = answer && scheduledBy(event);
    if (scheduled) answers.set(scheduled.id, answer);
  }
  const queues = new Map<string, MockedResponse[]>();
  for (const event of events.filter(({ type }) => type === 'TaskScheduled')) {
    let entered: RecordedEvent | undefined = event;
    while (entered && entered.type !== 'TaskStateEntered') entered = byId.get(entered.previousEventId ?? 0);
    const name = String(entered ? detailsOf(entered)['name'] : '');
    const answer = answers.get(event.id) ?? { Throw: { Error: 'States.Runtime', Cause: 'not recorded' } };
    queues.set(name, [...(queues.get(name) ?? []), answer]);
  }
  return (stateName) => queues.get(stateName)?.shift();
}

/** What differs between any two runs: identities, instants, and where something ran. */
const unstable: readonly [RegExp, string][] = [
  [/arn:aws[^"\s\\]*/g, '(arn)'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, '(instant)'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '(uuid)'],
];

/** Fields that say where something ran, not what. */
const places: ReadonlySet<string> = new Set([
  'roleArn',
  'region',
  'taskCredentials',
  'resourceType',
  'resource',
]);

function comparable(value: unknown): unknown {
  if (typeof value === 'string') {
    const text = unstable.reduce((masked, [pattern, by]) => masked.replace(pattern, by), value);
    try {
      const parsed = JSON.parse(text) as unknown;
      return typeof parsed === 'object' ? comparable(parsed) : text;
    } catch {
      return text;
    }
  }
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !places.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, comparable(each)]),
  );
}

function comparableEvent({ timestamp: _timestamp, ...event }: RecordedEvent): string {
  return JSON.stringify(comparable({ previousEventId: 0, ...event }));
}

/** The first event that differs; one side is missing where a history is shorter. */
export interface Difference {
  readonly event: number;
  readonly recorded?: unknown;
  readonly here?: unknown;
}

/** Compares a recorded history with one made here, event for event; undefined when they are the same. */
export function differenceOf(
  recorded: readonly RecordedEvent[],
  here: readonly HistoryEvent[],
): Difference | undefined {
  const made = here as unknown as readonly RecordedEvent[];
  for (let index = 0; index < Math.max(recorded.length, made.length); index += 1) {
    const [theirs, ours] = [recorded[index], made[index]];
    if (theirs && ours && comparableEvent(theirs) === comparableEvent(ours)) continue;
    return {
      event: index + 1,
      ...(theirs ? { recorded: theirs } : {}),
      ...(ours ? { here: ours } : {}),
    };
  }
  return undefined;
}
