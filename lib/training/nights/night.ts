import type { Run } from '../run.ts';

/** How one tenant's night ended. */
export type NightOutcome = 'succeeded' | 'failed' | 'skipped' | 'busy';

/** A night in numbers. */
export interface NightJudgement {
  readonly counts: Readonly<Record<NightOutcome, number>>;
  /** succeeded / (succeeded + failed), or null when neither happened. */
  readonly rate: number | null;
  readonly met: boolean;
  /** Tenant ids that failed, in the order of the night. */
  readonly failed: readonly string[];
}

/** The outcome of one tenant from its runs for the date: one success wins, otherwise the newest run speaks; no run at all failed. */
export function outcomeOf(runs: readonly Run[]): NightOutcome {
  if (runs.some((run) => run.status === 'succeeded')) return 'succeeded';
  const newest = [...runs].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];
  return newest?.status === 'skipped' || newest?.status === 'busy' ? newest.status : 'failed';
}

/**
 * Judges a night by the specification's criterion, a success rate of more than 95 %.
 * Skipped and busy tenants stand in neither term. A night in which nothing had to be trained is met.
 */
export function judgeNight(
  tenantIds: readonly string[],
  runs: readonly Run[],
  successTarget: number,
): NightJudgement {
  const byTenant = Map.groupBy(runs, (run) => run.tenantId);
  const counts: Record<NightOutcome, number> = { succeeded: 0, failed: 0, skipped: 0, busy: 0 };
  const failed: string[] = [];
  for (const tenantId of tenantIds) {
    const outcome = outcomeOf(byTenant.get(tenantId) ?? []);
    counts[outcome] += 1;
    if (outcome === 'failed') failed.push(tenantId);
  }
  const judged = counts.succeeded + counts.failed;
  const rate = judged === 0 ? null : counts.succeeded / judged;
  return { counts, rate, met: rate === null || rate > successTarget, failed };
}
