import type { Ports } from '../../lib/ports/ports.ts';
import { Guards } from './guards.ts';
import { MemoryRunStore, type Records } from './memory-run-store.ts';
import {
  memoryClaims,
  memoryImageRecords,
  memoryLeases,
  memoryLocks,
  memoryModels,
  memoryTenants,
  memoryVerdicts,
} from './memory-tenant-stores.ts';

/** The ports that keep records. */
export type Stores = Pick<
  Ports,
  'tenants' | 'runs' | 'leases' | 'claims' | 'locks' | 'models' | 'verdicts' | 'imageRecords'
>;

/** All stores in memory, over the same records; every condition of a write goes through `guards`. */
export function openRecords({
  guards = new Guards(),
}: {
  readonly guards?: Guards;
} = {}): Stores & { readonly records: Records } {
  const records: Records = new Map();
  const parts = { records, guards };
  return {
    records,
    runs: new MemoryRunStore(records, guards),
    tenants: memoryTenants(parts),
    leases: memoryLeases(parts),
    claims: memoryClaims(parts),
    locks: memoryLocks(parts),
    models: memoryModels(parts),
    verdicts: memoryVerdicts(parts),
    imageRecords: memoryImageRecords(parts),
  };
}
