const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since the Unix epoch of an ISO 8601 instant with a time zone, the only form a Wait takes. */
export function parseInstant(value: unknown): number | undefined {
  const at = typeof value === 'string' && instant.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
