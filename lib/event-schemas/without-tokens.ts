/** Names under which a task token may stand, also inside JSON text inside JSON text. */
const inText = /((?:taskToken|TaskToken|token)\\*"\s*:\s*\\*")[^"\\]+/g;

const inRecord: ReadonlySet<string> = new Set(['taskToken', 'TaskToken', 'token']);

/** A copy of a JSON value without task tokens: they are secrets, so they are never printed, logged or sent on. */
export function withoutTokens(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(inText, '$1(redacted)');
  if (Array.isArray(value)) return value.map(withoutTokens);
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      inRecord.has(key) && typeof each === 'string' ? '(redacted)' : withoutTokens(each),
    ]),
  );
}
