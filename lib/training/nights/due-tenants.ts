import type { Tenant } from '../../tenants/tenant.ts';
import type { Run } from '../run.ts';

/** One line of the night's tenant file. */
export interface DueTenant {
  readonly tenantId: string;
  readonly logicalDate: string;
  /** What the night planned for it; times are ISO 8601. */
  readonly plan: { readonly deadline?: string; readonly spotUntil?: string };
}

/** Tenants that a scheduler has to train: active, scheduled by it (`on` is Epsilon's nights), no succeeded run for the logical date. */
export function dueTenants(
  tenants: readonly Tenant[],
  runs: readonly Run[],
  logicalDate: string,
  scheduler: 'on' | 'airflow' = 'on',
): Tenant[] {
  const done = new Set(
    runs
      .filter((run) => run.logicalDate === logicalDate && run.status === 'succeeded')
      .map((run) => run.tenantId),
  );
  return tenants.filter(
    (tenant) => tenant.status === 'active' && tenant.schedule === scheduler && !done.has(tenant.tenantId),
  );
}
