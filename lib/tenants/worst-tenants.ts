import type { Run } from '../training/run.ts';

/** How the runs of a tenant went within some days. */
export interface TenantRuns {
  readonly tenantId: string;
  readonly runs: number;
  /** Runs that failed, ran out of time or were stopped. */
  readonly failed: number;
  /** Error of the newest run that failed. */
  readonly error?: string;
  readonly newestFailure?: string;
}

const isBad = ({ status }: Pick<Run, 'status'>) =>
  status === 'failed' || status === 'timed-out' || status === 'aborted';

function ofTenant(tenantId: string, runs: readonly Run[]): TenantRuns {
  const bad = runs.filter(isBad);
  const last = bad.toSorted((one, other) => (one.startedAt < other.startedAt ? 1 : -1))[0];
  return {
    tenantId,
    runs: runs.length,
    failed: bad.length,
    ...(last?.error === undefined ? {} : { error: last.error }),
    ...(last === undefined ? {} : { newestFailure: last.runId }),
  };
}

/**
 * The tenants whose runs failed most, at most `count`, the worst first: most failures, then the greater share of them. A metric cannot say
 * it, because none names a tenant.
 */
export function worstTenants(runs: readonly Run[], count: number): TenantRuns[] {
  return [...Map.groupBy(runs, ({ tenantId }) => tenantId)]
    .map(([tenantId, own]) => ofTenant(tenantId, own))
    .filter(({ failed }) => failed > 0)
    .sort((a, b) => b.failed - a.failed || a.runs - b.runs || (a.tenantId < b.tenantId ? -1 : 1))
    .slice(0, count);
}
