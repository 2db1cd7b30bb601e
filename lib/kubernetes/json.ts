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

/** Parses jobs and pods as the typed client gives them. What is not JSON throws. */
export function parseObjects<T>(text: string): T {
  return JSON.parse(text, (key, value: unknown) =>
    typeof value === 'string' && instants.has(key) ? new Date(value) : value,
  ) as T;
}
