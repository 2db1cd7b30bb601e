import type { Tenant } from '../tenants/tenant.ts';

/** Tenant records: `TENANT#id / META`. */
export interface TenantStore {
  get(tenantId: string): Promise<Tenant | undefined>;
  /** By tenant id. */
  list(): Promise<Tenant[]>;
  /** Writes version n + 1 over version n (0 = must not exist yet), otherwise `ConditionFailed`. */
  put(tenant: Tenant, expectedVersion: number): Promise<void>;
  remove(tenantId: string, expectedVersion: number): Promise<void>;
}
