import { costOfAttempt } from './attempt-cost.ts';
import type { RunWork } from './ledger.ts';

/** A tenant whose newest run was far dearer than its others. */
export interface UnusualCost {
  readonly tenantId: string;
  readonly runId: string;
  /** US dollars of that run's jobs, and the median of the tenant's earlier runs. */
  readonly usd: number;
  readonly usualUsd: number;
}

/** Earlier runs that say what is usual; how many times that a run costs, and dollars more, to be told. */
const tell = { earlier: 3, times: 3, usdMore: 0.05 } as const;

/** Tenants whose newest run costs several times what their earlier ones did, dearest first. Runs that still go on are left out. */
export function unusualCosts(works: readonly RunWork[], now: number): UnusualCost[] {
  const ended = works.filter(({ run }) => run.status !== 'running');
  const byTenant = Map.groupBy(ended, ({ run }) => run.tenantId);
  return [...byTenant]
    .flatMap(([tenantId, own]) => {
      const costs = own
        .toSorted((one, other) => one.run.startedAt.localeCompare(other.run.startedAt))
        .map(({ run, attempts }) => ({
          runId: run.runId,
          usd: attempts.reduce((sum, attempt) => sum + costOfAttempt(attempt, now).usd, 0),
        }));
      const newest = costs.pop();
      if (!newest || costs.length < tell.earlier) return [];
      const sorted = costs.map(({ usd }) => usd).sort((one, other) => one - other);
      const usualUsd = sorted[sorted.length >> 1] ?? 0;
      const unusual = newest.usd > tell.times * usualUsd && newest.usd > usualUsd + tell.usdMore;
      return unusual ? [{ tenantId, ...newest, usualUsd }] : [];
    })
    .sort((one, other) => other.usd - one.usd);
}
