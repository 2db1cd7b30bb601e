const hour = '(?:[01]\\d|2[0-3])';
const instant = new RegExp(
  `^\\d{4}-\\d\\d-\\d\\dT${hour}:[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|[+-]${hour}:[0-5]\\d)$`,
);

/** Milliseconds since the Unix epoch of an ISO 8601 instant with a time zone, the only form a Wait takes. */
export function parseInstant(value: unknown): number | undefined {
  const day = typeof value === 'string' && instant.test(value) ? value.slice(0, 10) : undefined;
  if (day === undefined) return undefined;
  const [at, midnight] = [Date.parse(value as string), Date.parse(`${day}T00:00:00Z`)];
  // A day that no month has is taken for one of the next month otherwise.
  const exists = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
  return exists && !Number.isNaN(at) ? at : undefined;
}
