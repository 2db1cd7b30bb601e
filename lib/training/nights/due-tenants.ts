import type { Tenant } from '../../tenants/tenant.ts';
import type { Run } from '../run.ts';

/** One line of the night's tenant file. */
export interface DueTenant {
  readonly tenantId: string;
  readonly logicalDate: string;
}

/**
 * Tenants a night has to train: active, scheduled, no succeeded run for the logical date.
 * Highest priority first, then by id, so that the order is the same on every delivery; tenants in quarantine
 * (lib/training/nights/quarantine.ts) last, where they hold nobody up.
 */
export function dueTenants(
  tenants: readonly Tenant[],
  runs: readonly Run[],
  logicalDate: string,
  last: ReadonlySet<string> = new Set(),
): DueTenant[] {
  const done = new Set(
    runs
      .filter((run) => run.logicalDate === logicalDate && run.status === 'succeeded')
      .map((run) => run.tenantId),
  );
  return tenants
    .filter((tenant) => tenant.status === 'active' && tenant.schedule === 'on' && !done.has(tenant.tenantId))
    .sort(
      (a, b) =>
        Number(last.has(a.tenantId)) - Number(last.has(b.tenantId)) ||
        b.priority - a.priority ||
        (a.tenantId < b.tenantId ? -1 : 1),
    )
    .map(({ tenantId }) => ({ tenantId, logicalDate }));
}
