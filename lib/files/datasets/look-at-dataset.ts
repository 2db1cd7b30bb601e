import type { ObjectStore } from '../../ports/object-store.ts';
import type { DatasetContract } from '../../quality/datasets/contract.ts';
import type { Due } from '../../quality/datasets/jobs.ts';
import type { DatasetLook } from '../../quality/datasets/judge.ts';
import type { DatasetMemory } from '../../quality/datasets/memory.ts';
import { duePartitions } from '../../quality/datasets/plan.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { listDataset } from './list-dataset.ts';

/** What the listing of a tenant's dataset says, and what of it a job has to look at. */
export interface LookedDataset {
  readonly look: DatasetLook;
  readonly due: Due | undefined;
}

/** Lists a tenant's dataset and plans which of its partitions are looked at; `now` in milliseconds. Errors: those of the object store. */
export async function lookAtDataset(
  objects: Pick<ObjectStore, 'list'>,
  { tenantId, backend, contract }: Pick<Tenant, 'tenantId' | 'backend'> & { contract: DatasetContract },
  { memory, now }: { readonly memory: DatasetMemory | undefined; readonly now: number },
): Promise<LookedDataset> {
  const listing = await listDataset(objects, contract, { backfill: memory?.backfill, now });
  const asked = duePartitions(listing, { memory, contract, now });
  const partitions = Object.entries(listing.partitions);
  const wanted = partitions
    .filter(([name]) => asked.includes(name))
    .map(([name, { digest, files }]) => ({
      name,
      digest,
      files: files.map(({ uri, path, size }) => ({ uri, path, size })),
    }));
  return {
    look: {
      contract,
      asked,
      partitions: Object.fromEntries(
        partitions.map(([name, { digest, newestArrival }]) => [name, { digest, newestArrival }]),
      ),
    },
    due: wanted.length === 0 ? undefined : { backend, dataset: { tenantId, contract, partitions: wanted } },
  };
}
