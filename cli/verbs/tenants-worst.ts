import type { Command } from 'commander';
import { daysUntil } from '../../lib/operations/cost/read-work.ts';
import { worstTenants } from '../../lib/tenants/worst-tenants.ts';
import type { Run } from '../../lib/training/run.ts';
import { plain } from '../output.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

/** Nights at most: runs are read night by night. */
const mostDays = 90;

async function showWorst(
  session: Session,
  words: { readonly days: string; readonly n: string },
): Promise<void> {
  const [count, most] = [wholeNumber('--days', words.days, mostDays), wholeNumber('-n', words.n, 1_000)];
  await withControl(session, { mode: 'read' }, async (control) => {
    const days = daysUntil(new Date(session.clock.now()).toISOString().slice(0, 10), count);
    const runs: Run[] = [];
    for (const logicalDate of days) runs.push(...(await control.runs.listRuns({ logicalDate })));
    const worst = worstTenants(runs, most);
    print(session.output, { from: days[0], to: days.at(-1), tenants: worst }, () =>
      worst.length === 0
        ? `No run of ${runs.length} failed from ${days[0]} to ${days.at(-1)}.`
        : table(
            session.output,
            ['TENANT', 'FAILED', 'RUNS', 'NEWEST FAILURE', 'ERROR'],
            worst.map(({ tenantId, failed, runs: all, newestFailure, error }) => [
              tenantId,
              failed,
              all,
              newestFailure ?? '',
              plain(error ?? ''),
            ]),
          ),
    );
  });
}

/** `tenants worst`: whose runs failed most, from the records. */
export function addWorstTenants(tenants: Command, session: () => Session): void {
  tenants
    .command('worst')
    .description('list the tenants whose runs failed most of late, worst first')
    .option('--days <n>', 'so many days until today', '7')
    .option('-n <n>', 'so many tenants', '10')
    .action((words: { days: string; n: string }) => showWorst(session(), words));
}
