import type { Objects } from '../../lib/operations/models/passage-files.ts';
import type { ModelRegistry } from '../../lib/ports/model-registry.ts';
import type { CacheStore } from '../../lib/ports/serving/cache-store.ts';
import type { TenantStore } from '../../lib/ports/tenant-store.ts';

/** Where live models are on record, and what they are read from. */
export interface ServedModels {
  readonly models: Pick<ModelRegistry, 'live' | 'get'>;
  readonly tenants: Pick<TenantStore, 'get'>;
  readonly objects: Objects;
  /** Passages of live models; absent where there is no cache, and then they are read from the objects. */
  readonly cache?: Pick<CacheStore, 'read'>;
}
