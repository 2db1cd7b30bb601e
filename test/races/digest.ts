import { hash } from 'node:crypto';

/** A short name of a text. */
export const digest = (text: string): string => hash('sha1', text, 'base64');

const known = new WeakMap<object, string>();

/** A short name of a JSON value. Objects must not change once they were named: each is looked at once. */
export function digestOf(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value !== 'object' || value === null) return String(value);
  let found = known.get(value);
  if (found === undefined) {
    if (value instanceof Map) found = digest(JSON.stringify([...value]));
    else if (Array.isArray(value)) found = digest(value.map(digestOf).join('\n'));
    else found = digest(JSON.stringify(value));
    known.set(value, found);
  }
  return found;
}
