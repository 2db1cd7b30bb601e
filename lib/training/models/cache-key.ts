/** Key of the hash in which a run's passages are cached: below its tenant's own prefix, as the users of one host are confined to it. */
export function cacheKey({ tenantId, runId }: { readonly tenantId: string; readonly runId: string }): string {
  return `epsilon:${tenantId}:${runId}:passages`;
}
