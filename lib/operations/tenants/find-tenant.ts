import { EpsilonError } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { TenantStore } from '../../ports/tenant-store.ts';
import { checkTenantId, type Tenant } from '../../tenants/tenant.ts';

/** Where tenants are looked up. */
export interface TenantLookup {
  readonly tenants: Pick<TenantStore, 'get'>;
}

/** The tenant's record; `TENANT_ID_INVALID`, `TENANT_NOT_FOUND`. */
export async function findTenant({ tenants }: TenantLookup, tenantId: string): Promise<Tenant> {
  const tenant = await tenants.get(checkTenantId(tenantId));
  if (tenant) return tenant;
  throw new NotFound('TENANT_NOT_FOUND', `There is no tenant "${tenantId}".`);
}

/** The record of a tenant that may be trained; also `TENANT_SUSPENDED`. */
export async function findActiveTenant(lookup: TenantLookup, tenantId: string): Promise<Tenant> {
  const tenant = await findTenant(lookup, tenantId);
  if (tenant.status === 'active') return tenant;
  throw new EpsilonError('TENANT_SUSPENDED', `Tenant "${tenantId}" is suspended; nothing was started.`, {
    details: { tenantId },
  });
}
