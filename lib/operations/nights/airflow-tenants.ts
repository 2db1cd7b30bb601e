import type { Ports } from '../../ports/ports.ts';
import { dueTenants } from '../../training/nights/due-tenants.ts';

/** Which tenants are asked for. */
export interface AirflowPage {
  readonly logicalDate: string;
  /** Tenant behind which the page begins; empty for the first one. */
  readonly after: string;
  /** Tenants of one page. */
  readonly limit: number;
}

/** One page of the tenants that Airflow schedules and that have no model of the logical date yet, by tenant id. */
export async function airflowTenants(
  { tenants, runs }: Pick<Ports, 'tenants' | 'runs'>,
  { logicalDate, after, limit }: AirflowPage,
): Promise<{ readonly tenants: readonly string[]; readonly after: string }> {
  const due = dueTenants(await tenants.list(), await runs.listRuns({ logicalDate }), logicalDate, 'airflow');
  const rest = due.map(({ tenantId }) => tenantId).filter((tenantId) => tenantId > after);
  const page = rest.toSorted().slice(0, limit);
  return { tenants: page, after: rest.length > limit ? (page.at(-1) ?? '') : '' };
}
