import type { Ports } from '../../ports/ports.ts';
import { relearn } from '../../quality/datasets/judge.ts';
import type { DatasetMemory } from '../../quality/datasets/memory.ts';
import { findTenant } from '../tenants/find-tenant.ts';
import type { LearntDataset } from './shard-files.ts';

type Needed = Pick<Ports, 'verdicts' | 'tenants'>;

/** Partitions of the history that what is usual is learnt from: every hour of 90 days. */
const mostPartitions = 2_160;

/** What is known of a dataset, with what is usual of it learnt again from its history. `TENANT_NOT_FOUND`. */
export async function relearnt({ verdicts, tenants }: Needed, memory: DatasetMemory): Promise<DatasetMemory> {
  const { tenantId, excluded } = memory;
  const { dataset: contract } = await findTenant({ tenants }, tenantId);
  const { baseline: _, ...rest } = memory;
  if (!contract) return rest;
  const history = (await verdicts.partitions(tenantId, mostPartitions)).toReversed();
  const baseline = relearn(history, contract, excluded);
  return { ...rest, ...(baseline ? { baseline } : {}) };
}

/** Puts on record what a check learnt of a dataset: the history first, from which everything else can be learnt again. Nothing where it learnt nothing. */
export async function rememberDataset(
  ports: Needed,
  { memory, entries, relearn: again, same }: LearntDataset,
): Promise<void> {
  if (same) return;
  await ports.verdicts.appendPartitions(entries);
  await ports.verdicts.rememberDataset(again ? await relearnt(ports, memory) : memory);
}
