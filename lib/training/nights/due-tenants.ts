import type { Tenant } from '../../tenants/tenant.ts';
import type { Run } from '../run.ts';

/** One line of the night's tenant file. */
export interface DueTenant {
  readonly tenantId: string;
  readonly logicalDate: string;
  /** What the night planned for it; times are ISO 8601. */
  readonly plan: { readonly deadline?: string; readonly spotUntil?: string };
}

/** Tenants a night has to train: active, scheduled, no succeeded run for the logical date. */
export function dueTenants(tenants: readonly Tenant[], runs: readonly Run[], logicalDate: string): Tenant[] {
  const done = new Set(
    runs
      .filter((run) => run.logicalDate === logicalDate && run.status === 'succeeded')
      .map((run) => run.tenantId),
  );
  return tenants.filter(
    (tenant) => tenant.status === 'active' && tenant.schedule === 'on' && !done.has(tenant.tenantId),
  );
}
