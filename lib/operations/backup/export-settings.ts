import { inParallel } from '../../concurrency/in-parallel.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { LiveModel, ModelVersion } from '../../training/models/model.ts';

/** What an export holds: what operators decided, and which models answer. No token and no secret is among it. */
export interface SettingsExport {
  readonly schemaVersion: 1;
  readonly environment: string;
  readonly exportedAt: string;
  readonly settings: unknown;
  readonly tenants: readonly Tenant[];
  readonly live: readonly LiveModel[];
  readonly models: readonly ModelVersion[];
}

/** Where exports are in the data bucket. */
export const exportsPrefix = 'recovery/exports/';

/** Tenants whose models are read side by side. */
const atOnce = 8;

/** Writes tenants, models and settings as one object, which replication takes to the other region; gives its URI. */
export async function exportSettings({
  tenants,
  models,
  objects,
  config,
  clock,
}: Pick<Ports, 'tenants' | 'models' | 'objects' | 'config' | 'clock'>): Promise<string> {
  const all = await tenants.list();
  const live: LiveModel[] = [];
  const registered: ModelVersion[] = [];
  await inParallel(all, atOnce, async ({ tenantId }) => {
    const found = await models.live(tenantId);
    if (found) live.push(found);
    registered.push(...(await models.list(tenantId)));
  });
  const byTenant = (a: { tenantId: string }, b: { tenantId: string }) => (a.tenantId < b.tenantId ? -1 : 1);
  const exportedAt = isoNow(clock);
  const content: SettingsExport = {
    schemaVersion: 1,
    environment: config.environment,
    exportedAt,
    settings: config,
    tenants: all,
    live: live.sort(byTenant),
    models: registered.sort(byTenant),
  };
  const uri = `s3://${config.dataBucket}/${exportsPrefix}${exportedAt}.json`;
  await objects.put(uri, JSON.stringify(content), { contentType: 'application/json' });
  return uri;
}
