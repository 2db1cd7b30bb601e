/** Fields of jobs and pods that hold an instant; the client's types say Date, the wire says text. */
const instants: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'deletionTimestamp',
  'startTime',
  'completionTime',
  'startedAt',
  'finishedAt',
  'lastTransitionTime',
]);

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Turns instants into dates, in place, as deep as `depth`. */
function date(fields: unknown, depth: number): void {
  if (!isObject(fields)) return;
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value === 'string' && instants.has(key)) fields[key] = new Date(value);
    else if (depth > 0) date(value, depth - 1);
  }
}

/** Where instants stand: directly in the metadata, and anywhere in the status. The rest of an object need not be walked. */
function dateObject(object: unknown): void {
  if (!isObject(object)) return;
  date(object['metadata'], 0);
  date(object['status'], 5);
}

/**
 * Parses an object, a list or a line of a watch as the typed client would give them. Not by a reviver, which is called for
 * every field and keeps the text alive. What is not JSON throws.
 */
export function parseObjects<T>(text: string): T {
  const parsed: unknown = JSON.parse(text);
  if (isObject(parsed)) {
    dateObject(parsed);
    dateObject(parsed['object']);
    if (Array.isArray(parsed['items'])) for (const item of parsed['items']) dateObject(item);
  }
  return parsed as T;
}
