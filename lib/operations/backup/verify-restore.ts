import type { RestoreCheck, RestoreRecord } from '../../backup/cloud/records.ts';
import { restoreDigest, restoreFaults } from '../../backup/cloud/restore-plan.ts';
import { settingFaults, tableFaults } from '../../backup/cloud/restored-table.ts';
import { pointersOf } from '../../backup/pointers.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { TableRecords } from '../../ports/backup/table-service.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { LiveModel } from '../../training/models/model.ts';
import { readExport } from './read-export.ts';
import { replicaUri } from './read-replicas.ts';
import { required } from './required.ts';
import { restoredHeartbeats } from './restored-heartbeats.ts';

type Needed = Pick<
  Ports,
  'databases' | 'tables' | 'replica' | 'recoveryRecords' | 'databaseHeartbeats' | 'config' | 'log' | 'clock'
>;

/** Tenants that are looked at side by side, and faults that a check keeps. */
const atOnce = 16;
const keptFaults = 20;

const checkOf = (name: string, count: number, faults: readonly string[]): RestoreCheck => ({
  name,
  count,
  faults: [...faults].sort().slice(0, keptFaults),
});

async function checkDatabase({ databases }: Needed, { target, databaseSettings }: RestoreRecord) {
  const found = await required(databases).there.instance(target.database);
  if (found?.status !== 'available')
    return checkOf('database', 1, [`${target.database} is ${found?.status ?? 'not there'}`]);
  const faults = settingFaults(databaseSettings, found.settings);
  return checkOf('database', Object.keys(databaseSettings).length, faults);
}

async function checkTable({ tables }: Needed, { target, drill }: RestoreRecord) {
  const found = await required(tables).there.table(target.table);
  if (found?.status !== 'ACTIVE')
    return checkOf('table', 1, [`${target.table} is ${found?.status ?? 'not there'}`]);
  return checkOf('table', 1, tableFaults(found, { drill }));
}

/** Bytes at the beginning of an object, or of the first below a prefix, as the destination gives them; 0 where nothing can be read. */
async function readableBytes({ replica, config }: Needed, pointer: string): Promise<number> {
  const { bucket, objects } = required(replica);
  const uri = replicaUri(pointer, config, bucket);
  try {
    if (!pointer.endsWith('/')) {
      for await (const piece of objects.stream(uri)) return piece.byteLength;
      return 0;
    }
    for await (const object of objects.list(uri)) {
      for await (const piece of objects.stream(object.uri)) return piece.byteLength;
    }
    return 0;
  } catch {
    return 0;
  }
}

/** Records that contradict one another: parts of a transaction that the replica had and parts that it had not. */
async function contradictions(
  { models }: TableRecords,
  tenant: Tenant,
  live: LiveModel | undefined,
  point: string,
) {
  if (!live) return [];
  const { tenantId, modelVersion, promotedAt } = live;
  const registered = await models.get(tenantId, modelVersion);
  return [
    ...(tenant.tenantId === tenantId ? [] : [`${tenant.tenantId}: its live model is of ${tenantId}`]),
    ...(registered ? [] : [`${tenantId}: its live model ${modelVersion} is not registered`]),
    ...(promotedAt <= point ? [] : [`${tenantId}: promoted at ${promotedAt}, after the moment`]),
  ];
}

async function checkRecords(
  ports: Needed,
  { target, point }: RestoreRecord,
): Promise<{ readonly checks: RestoreCheck[]; readonly bytesRead: number }> {
  const records = required(ports.tables).there.stores(target.table);
  const tenants = await records.tenants.list();
  const broken: string[] = [];
  const unreadable: string[] = [];
  let pointers = 0;
  let bytesRead = 0;
  await inParallel(tenants, atOnce, async (tenant) => {
    const live = await records.models.live(tenant.tenantId);
    broken.push(...(await contradictions(records, tenant, live, point)));
    for (const pointer of live ? pointersOf([live]) : []) {
      pointers += 1;
      const bytes = await readableBytes(ports, pointer);
      bytesRead += bytes;
      if (bytes === 0) unreadable.push(`nothing readable is at ${pointer}`);
    }
  });
  const exported = await readExport(ports, point);
  const there = new Set(tenants.map(({ tenantId }) => tenantId));
  const missing = exported?.tenants.filter(({ tenantId }) => !there.has(tenantId)) ?? [];
  const checks = [
    checkOf('records', tenants.length, broken),
    checkOf('pointers', pointers, unreadable),
    checkOf(
      'export',
      exported?.tenants.length ?? 0,
      missing.map(({ tenantId }) => `tenant ${tenantId} is in the export and not in the table`),
    ),
  ];
  return { checks, bytesRead };
}

/**
 * Reads what was restored, where it was restored, and nothing of the region that may be lost; puts the checks and the digest that
 * approves them on record. `RESTORE_UNVERIFIED` with the first faults; a check that looked at nothing is one.
 */
export async function verifyRestore(ports: Needed, record: RestoreRecord): Promise<RestoreRecord> {
  const heartbeats = await restoredHeartbeats(ports, record);
  const settings = [await checkDatabase(ports, record), await checkTable(ports, record)];
  const { checks: records, bytesRead } = await checkRecords(ports, record);
  const checks = [...settings, ...records, heartbeats.check];
  const faults = restoreFaults(checks);
  const digest = restoreDigest(record.point, record.target, checks);
  const state = faults.length === 0 ? 'verified' : 'failed';
  const verified: RestoreRecord = {
    ...record,
    state,
    checks,
    heartbeats: heartbeats.figures,
    digest,
    verifiedAt: isoNow(ports.clock),
    bytesRead,
  };
  await ports.recoveryRecords.put(verified);
  ports.log[faults.length === 0 ? 'info' : 'error']('restore verified', {
    id: record.id,
    digest,
    checks,
    heartbeats: heartbeats.figures,
  });
  if (faults.length === 0) return verified;
  throw new EpsilonError(
    'RESTORE_UNVERIFIED',
    `Restore ${record.id} failed its verification: ${faults.slice(0, 3).join('; ')}${faults.length > 3 ? ` and ${faults.length - 3} more` : ''}.`,
    { exitCode: exitCodes.backend, details: { id: record.id, faults } },
  );
}
