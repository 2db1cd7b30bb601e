import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { ConditionFailed } from '../../errors/store-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { TenantRef } from '../../ports/operator-api.ts';
import type { Ports } from '../../ports/ports.ts';
import { dataQualityCheck } from '../../quality/machines.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { changedTenant, newTenant } from '../../tenants/tenant-changes.ts';
import { findTenant } from './find-tenant.ts';

type Needed = Pick<Ports, 'tenants' | 'config' | 'clock'>;

/** What adding takes besides. */
type Adding = Needed & Pick<Ports, 'workflows' | 'log'>;

/** Times a change is made again because somebody else changed the record between reading and writing. */
const rounds = 3;

const placeOf = ({ config, clock }: Needed) => ({ config, now: isoNow(clock) });

/** Reads, decides and writes; again when somebody else was faster, and `ConditionFailed` when that continues. */
async function change<T>(ports: Needed, tenantId: string, work: (tenant: Tenant) => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await work(await findTenant(ports, tenantId));
    } catch (error) {
      if (!(error instanceof ConditionFailed) || round >= rounds) throw error;
    }
  }
}

async function write({ tenants }: Needed, tenant: Tenant): Promise<Tenant> {
  await tenants.put(tenant, tenant.version);
  return { ...tenant, version: tenant.version + 1 };
}

/**
 * Where training needs a verdict, new data is looked at without waiting for the hour. A tenant is added whether or not that check can
 * be begun: its first run asks for it again.
 */
async function lookAtData({ workflows, config, log }: Adding, { tenantId }: Tenant): Promise<void> {
  if (config.quality.gate !== 'required') return;
  const input = { trigger: 'manual', tenants: [tenantId] };
  await workflows
    .start({ machine: dataQualityCheck.key, input })
    .catch((error: unknown) =>
      log.warn('the data of a new tenant is not looked at yet', { tenantId, error: String(error) }),
    );
}

/** Adds a tenant and has its data looked at. Errors: those of `newTenant`, `TENANT_EXISTS`. */
export async function addTenant(ports: Adding, draft: Readonly<Record<string, unknown>>): Promise<Tenant> {
  const tenant = newTenant(draft, placeOf(ports));
  try {
    await ports.tenants.put(tenant, 0);
    await lookAtData(ports, tenant);
    return tenant;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    throw new EpsilonError(
      'TENANT_EXISTS',
      `Tenant "${tenant.tenantId}" already exists; nothing was changed.`,
      { exitCode: exitCodes.conflict, details: { tenantId: tenant.tenantId } },
    );
  }
}

/** Changes some fields of a tenant's record; runs under way keep what they began with. Errors: those of `changedTenant`. */
export function updateTenant(
  ports: Needed,
  { tenantId, changes }: TenantRef & { readonly changes: Readonly<Record<string, unknown>> },
): Promise<Tenant> {
  return change(ports, tenantId, (tenant) => write(ports, changedTenant(tenant, changes, placeOf(ports))));
}

function setStatus(ports: Needed, { tenantId }: TenantRef, status: Tenant['status']): Promise<Tenant> {
  return change(ports, tenantId, async (tenant) =>
    tenant.status === status ? tenant : write(ports, { ...tenant, status, updatedAt: placeOf(ports).now }),
  );
}

/** Stops training a tenant; runs under way end by themselves. `TENANT_NOT_FOUND`. */
export function suspendTenant(ports: Needed, tenant: TenantRef): Promise<Tenant> {
  return setStatus(ports, tenant, 'suspended');
}

/** Trains a suspended tenant again. `TENANT_NOT_FOUND`. */
export function resumeTenant(ports: Needed, tenant: TenantRef): Promise<Tenant> {
  return setStatus(ports, tenant, 'active');
}

/** Removes a tenant's record; its runs, models and objects stay. `TENANT_NOT_FOUND`. */
export function removeTenant(ports: Needed, { tenantId }: TenantRef): Promise<void> {
  return change(ports, tenantId, ({ version }) => ports.tenants.remove(tenantId, version));
}
