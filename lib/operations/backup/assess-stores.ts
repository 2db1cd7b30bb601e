import type { StoreReach } from '../../backup/cloud/records.ts';
import { replicationFaults } from '../../backup/cloud/replication.ts';
import { continuousFault, type DatabaseInstance } from '../../backup/cloud/resources.ts';
import type { Databases } from '../../ports/backup/database-service.ts';
import type { ReplicationMetrics } from '../../ports/backup/replication-metrics.ts';
import type { Tables } from '../../ports/backup/table-service.ts';

/** Milliseconds of figures that are asked for: datapoints of five minutes come some minutes late. */
const figuresMs = 1_800_000;

const faultsOf = (...faults: readonly (string | undefined)[]) =>
  faults.filter((fault): fault is string => fault !== undefined);

const spanOf = (found: { readonly oldest?: string; readonly newest?: string } | undefined) => ({
  ...(found?.oldest === undefined ? {} : { oldest: found.oldest }),
  ...(found?.newest === undefined ? {} : { newest: found.newest }),
});

/** What the database can be restored to in the other region, as its service there says; and whether home still keeps its own. */
export async function reachOfDatabase(
  { id, home, there }: Databases,
  instance: DatabaseInstance | undefined,
): Promise<StoreReach> {
  const [own, replicated] = await Promise.all([home.continuousBackup(id), there.continuousBackup(id)]);
  const missing = instance ? undefined : `there is no database ${id} in ${home.region}`;
  const mistakes = instance && continuousFault(own, ['active'], home.region);
  const loss = continuousFault(replicated, ['replicating', 'active'], there.region);
  return { ...spanOf(replicated), faults: faultsOf(missing, mistakes, loss) };
}

/** What the table can be restored to in the other region. */
export async function reachOfTable({ name, home, there }: Tables): Promise<StoreReach> {
  const [own, replicated] = await Promise.all([home.continuousBackup(name), there.continuousBackup(name)]);
  const mistakes = continuousFault(own, ['active'], home.region);
  const loss = continuousFault(replicated, ['active'], there.region);
  return { ...spanOf(replicated), faults: faultsOf(mistakes, loss) };
}

/** How far objects have arrived in the other region, and how many operations failed. `now` is in milliseconds. */
export async function reachOfObjects(
  replication: ReplicationMetrics,
  now: number,
): Promise<StoreReach & { readonly failedOperations: number }> {
  const figures = await replication.figures(now - figuresMs, now);
  const faults = replicationFaults(figures);
  const { latencySeconds, failedOperations = 0 } = figures;
  if (latencySeconds === undefined) return { faults, failedOperations };
  return { newest: new Date(now - latencySeconds * 1000).toISOString(), faults, failedOperations };
}
