import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of an invocation carries, as far as it is known. */
export type TraceFields = Readonly<Record<string, string | number>>;

const names = ['runId', 'tenantId', 'stage', 'attempt', 'traceId', 'logicalDate', 'nightArn'] as const;

const storage = new AsyncLocalStorage<Record<string, string | number>>();

/** Fields of an event (or a record) that belong on every line, looked for down to the detail's data. */
export function traceFieldsOf(event: unknown): TraceFields {
  const fields: Record<string, string | number> = {};
  const look = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 2) return;
    const record = value as Record<string, unknown>;
    for (const name of names) {
      const found = record[name];
      if ((typeof found === 'string' || typeof found === 'number') && fields[name] === undefined)
        fields[name] = found;
    }
    for (const key of ['input', 'night', 'detail', 'data']) look(record[key], depth + 1);
  };
  look(event, 0);
  return fields;
}

/** Runs `work`; every log line written in it, however deep, carries `fields`. Invocations side by side do not mix. */
export function withTraceFields<T>(fields: TraceFields, work: () => Promise<T>): Promise<T> {
  return storage.run({ ...fields }, work);
}

/** Adds what became known meanwhile (the tenant of a run, the attempt of a stage); nothing outside an invocation. */
export function noteTraceFields(record: unknown): void {
  const current = storage.getStore();
  if (current) Object.assign(current, traceFieldsOf(record));
}

/** The fields of the invocation under way; none outside one. */
export function traceFields(): TraceFields {
  return storage.getStore() ?? {};
}
