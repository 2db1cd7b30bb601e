import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import type { CheckShard } from '../../quality/check-input.ts';
import type { Finding } from '../../quality/finding.ts';

/** Warnings of one day of a shard's tenants. */
export interface WarningsOfDay {
  /** `2026-11-24`, UTC. */
  readonly day: string;
  /** Tenants with any warning. */
  readonly tenants: number;
  /** The first of them, each with one warning in a sentence. */
  readonly named: readonly string[];
}

/** Tenants that a digest names of one shard: what a state hands on is limited. */
const mostNamed = 10;

/** Checks of these hours (UTC) may tell the warnings of the day before: one that fails is made up for by the next. */
const tellingHours = 3;

/** Judgements of one day: every hour, and as many partitions as one check looks at. */
const judgementsOfDay = 24 + tellingHours;
const partitionsOfDay = 72;

/** Tenants that are looked up side by side. */
const atOnce = 16;

const isWarning = ({ severity }: Finding) => severity === 'warning';

/** The day whose warnings the check of this instant tells, or undefined. */
function dayToTell({ only }: CheckShard, now: number): string | undefined {
  if (only || new Date(now).getUTCHours() >= tellingHours) return undefined;
  return new Date(now - 86_400_000).toISOString().slice(0, 10);
}

/**
 * What was unusual yesterday in the data of a shard's tenants, once a day: undefined at other times, and in a check of named tenants. Warnings
 * close no gate, so that nobody hears of them by a run.
 */
export async function warningsOfDay(
  { verdicts, clock }: Pick<Ports, 'verdicts' | 'clock'>,
  shard: CheckShard,
  tenantIds: readonly string[],
): Promise<WarningsOfDay | undefined> {
  const day = dayToTell(shard, clock.now());
  if (day === undefined) return undefined;
  const warned: { readonly tenantId: string; readonly first: string; readonly more: number }[] = [];
  await inParallel(tenantIds, atOnce, async (tenantId: string) => {
    const [documents, partitions] = await Promise.all([
      verdicts.history(tenantId, judgementsOfDay),
      verdicts.partitions(tenantId, partitionsOfDay),
    ]);
    const found = [
      ...documents.filter(({ checkedAt }) => checkedAt.startsWith(day)),
      ...partitions.filter(({ asOf }) => asOf.startsWith(day)),
    ].flatMap(({ findings }) => findings.filter(isWarning));
    const [first] = found;
    if (first) warned.push({ tenantId, first: first.sentence, more: found.length - 1 });
  });
  const named = warned
    .sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1))
    .slice(0, mostNamed)
    .map(
      ({ tenantId, first, more }) =>
        `${tenantId}: ${first.slice(0, 300)}${more > 0 ? ` (and ${more} more)` : ''}`,
    );
  return { day, tenants: warned.length, named };
}
