import { isPlatformFault, type Run } from '../run.ts';

/**
 * How one tenant's night ended. `notStarted`: there is no run on record, so its execution could not be started, or its jobs could
 * not be started by their image; that is the platform's fault, not the tenant's.
 */
export type NightOutcome = 'succeeded' | 'failed' | 'notStarted' | 'skipped' | 'busy';

/** Error of a skipped run whose tenant had no valid quality verdict: nobody looked at its data, or too long ago. */
export const unjudgedError = 'QualityVerdictMissing';

/** A night in numbers. */
export interface NightJudgement {
  readonly counts: Readonly<Record<NightOutcome, number>>;
  /** succeeded / (succeeded + failed + notStarted), or null when none of them happened. */
  readonly rate: number | null;
  readonly met: boolean;
  /** Tenant ids whose runs failed, in the order of the night. */
  readonly failed: readonly string[];
  /** Tenant ids without a run, or whose run could not be started by its image, in the order of the night. */
  readonly notStarted: readonly string[];
  /** Tenant ids that were skipped because no valid quality verdict was on record, in the order of the night. */
  readonly unjudged: readonly string[];
  /** They are so many that the checks have failed and not the tenants: the night is not met. */
  readonly checkFailed: boolean;
}

/** Tenants without a valid verdict that are the platform's failure: more than 5 % of the night, and more than 10. */
function checksFailed(unjudged: number, due: number): boolean {
  return unjudged > 10 && unjudged > 0.05 * due;
}

const newestOf = (runs: readonly Run[]) => [...runs].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];

/** The outcome of one tenant from its runs for the date: one success wins, otherwise the newest run speaks. */
export function outcomeOf(runs: readonly Run[]): NightOutcome {
  if (runs.some((run) => run.status === 'succeeded')) return 'succeeded';
  if (runs.length === 0) return 'notStarted';
  const newest = newestOf(runs);
  if (newest && isPlatformFault(newest)) return 'notStarted';
  return newest?.status === 'skipped' || newest?.status === 'busy' ? newest.status : 'failed';
}

/**
 * Judges a night by the specification's criterion, a success rate of more than 95 %.
 * Skipped and busy tenants count in neither term; a tenant that was not started was due and is not trained, so it counts. A night in
 * which nothing had to be trained is met, unless very many were skipped because their data had not been judged.
 */
export function judgeNight(
  tenantIds: readonly string[],
  runs: readonly Run[],
  successTarget: number,
): NightJudgement {
  const byTenant = Map.groupBy(runs, (run) => run.tenantId);
  const counts: Record<NightOutcome, number> = {
    succeeded: 0,
    failed: 0,
    notStarted: 0,
    skipped: 0,
    busy: 0,
  };
  const tenants: Record<'failed' | 'notStarted' | 'unjudged', string[]> = {
    failed: [],
    notStarted: [],
    unjudged: [],
  };
  for (const tenantId of tenantIds) {
    const own = byTenant.get(tenantId) ?? [];
    const outcome = outcomeOf(own);
    counts[outcome] += 1;
    if (outcome === 'failed' || outcome === 'notStarted') tenants[outcome].push(tenantId);
    if (outcome === 'skipped' && newestOf(own)?.error === unjudgedError) tenants.unjudged.push(tenantId);
  }
  const judged = counts.succeeded + counts.failed + counts.notStarted;
  const rate = judged === 0 ? null : counts.succeeded / judged;
  const checkFailed = checksFailed(tenants.unjudged.length, tenantIds.length);
  return {
    counts,
    rate,
    met: !checkFailed && (rate === null || rate > successTarget),
    checkFailed,
    ...tenants,
  };
}
