import { isPlatformFault, type Run } from '../run.ts';

/** Nights in a row that a tenant fails before it goes last. */
export const quarantineAfter = 3;

/** Share of the due tenants above which failures are the night's fault and nobody's own. */
const nightsFault = 0.1;

/** Fewest failures that can be the night's fault. */
const fewest = 10;

/** Statuses of runs that make a tenant a suspect. */
export const suspectStatuses = ['failed', 'timed-out'] as const;

const failures: ReadonlySet<string> = new Set(suspectStatuses);

/** Tenants whose last night is to be looked into: nobody when so many failed that something else was the matter. */
export function suspectsOf(failedLast: readonly Run[], due: number): string[] {
  const own = failedLast.filter((run) => !isPlatformFault(run));
  const suspects = [...new Set(own.map(({ tenantId }) => tenantId))].sort();
  return suspects.length > Math.max(fewest, due * nightsFault) ? [] : suspects;
}

/**
 * Whether a tenant failed on each of its last nights before `logicalDate`. Dates on which it was not trained, or could not be for
 * its image, do not count;
 * one success on a date, or an operator's stop, ends the row.
 */
export function isQuarantined(runs: readonly Run[], logicalDate: string): boolean {
  const earlier = runs.filter(
    (run) =>
      run.logicalDate < logicalDate &&
      run.status !== 'skipped' &&
      run.status !== 'busy' &&
      !isPlatformFault(run),
  );
  const nights = [...Map.groupBy(earlier, (run) => run.logicalDate)]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .slice(0, quarantineAfter);
  return (
    nights.length === quarantineAfter &&
    nights.every(([, tried]) => tried.every(({ status }) => failures.has(status)))
  );
}
