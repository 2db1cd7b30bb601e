import { inParallel } from '../../concurrency/in-parallel.ts';
import type { RunWork } from '../../cost/ledger.ts';
import type { RunStore } from '../../ports/run-store.ts';
import type { Run } from '../../training/run.ts';

/** Days, newest last, that end with one: `YYYY-MM-DD`. */
export function daysUntil(last: string, count: number): string[] {
  const end = Date.parse(`${last}T00:00:00Z`);
  return Array.from({ length: count }, (_, back) =>
    new Date(end - (count - 1 - back) * 86_400_000).toISOString().slice(0, 10),
  );
}

/** Runs whose attempts are read side by side. */
const atOnce = 16;

/** The runs of days, of all tenants or one, with their attempts. */
export async function readWork(
  { runs }: { readonly runs: Pick<RunStore, 'listRuns' | 'listAttempts'> },
  days: readonly string[],
  tenantId?: string,
): Promise<RunWork[]> {
  const found: Run[] = [];
  if (tenantId === undefined)
    for (const logicalDate of days) found.push(...(await runs.listRuns({ logicalDate })));
  else {
    const wanted = new Set(days);
    found.push(...(await runs.listRuns({ tenantId })).filter(({ logicalDate }) => wanted.has(logicalDate)));
  }
  return inParallel(found, atOnce, async (run) => ({ run, attempts: await runs.listAttempts(run.runId) }));
}
