import type { RestoreCheck, RestoreRecord } from '../../backup/cloud/records.ts';
import { restoreDigest, restoreFaults } from '../../backup/cloud/restore-plan.ts';
import { settingFaults, tableFaults } from '../../backup/cloud/restored-table.ts';
import { pointersOf } from '../../backup/pointers.ts';
import { inParallel } from '../../concurrency/in-parallel.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { TableRecords } from '../../ports/backup/table-service.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { LiveModel } from '../../training/models/model.ts';
import { readExport } from './read-export.ts';
import { replicaUri } from './read-replicas.ts';
import { required } from './required.ts';
import { restoredHeartbeats } from './restored-heartbeats.ts';

type Needed = Pick<
  Ports,
  'databases' | 'tables' | 'replica' | 'recoveryRecords' | 'databaseHeartbeats' | 'config' | 'log'
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

/** Whether an object, or below a prefix any object, is at the destination and its first bytes can be read. */
async function isReadable({ replica, config }: Needed, pointer: string): Promise<boolean> {
  const { bucket, objects } = required(replica);
  const uri = replicaUri(pointer, config, bucket);
  try {
    if (!pointer.endsWith('/')) {
      for await (const _ of objects.stream(uri)) return true;
      return false;
    }
    for await (const object of objects.list(uri)) {
      for await (const _ of objects.stream(object.uri)) return true;
    }
    return false;
  } catch {
    return false;
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

async function checkRecords(ports: Needed, { target, point }: RestoreRecord): Promise<RestoreCheck[]> {
  const records = required(ports.tables).there.stores(target.table);
  const tenants = await records.tenants.list();
  const broken: string[] = [];
  const unreadable: string[] = [];
  let pointers = 0;
  await inParallel(tenants, atOnce, async (tenant) => {
    const live = await records.models.live(tenant.tenantId);
    broken.push(...(await contradictions(records, tenant, live, point)));
    for (const pointer of live ? pointersOf([live]) : []) {
      pointers += 1;
      if (!(await isReadable(ports, pointer))) unreadable.push(`nothing readable is at ${pointer}`);
    }
  });
  const exported = await readExport(ports, point);
  const there = new Set(tenants.map(({ tenantId }) => tenantId));
  const missing = exported?.tenants.filter(({ tenantId }) => !there.has(tenantId)) ?? [];
  return [
    checkOf('records', tenants.length, broken),
    checkOf('pointers', pointers, unreadable),
    checkOf(
      'export',
      exported?.tenants.length ?? 0,
      missing.map(({ tenantId }) => `tenant ${tenantId} is in the export and not in the table`),
    ),
  ];
}

/**
 * Reads what was restored, where it was restored, and nothing of the region that may be lost; puts the checks and the digest that
 * approves them on record. `RESTORE_UNVERIFIED` with the first faults; a check that looked at nothing is one.
 */
export async function verifyRestore(ports: Needed, record: RestoreRecord): Promise<RestoreRecord> {
  const heartbeats = await restoredHeartbeats(ports, record);
  const checks = [
    await checkDatabase(ports, record),
    await checkTable(ports, record),
    ...(await checkRecords(ports, record)),
    heartbeats.check,
  ];
  const faults = restoreFaults(checks);
  const digest = restoreDigest(record.point, record.target, checks);
  const state = faults.length === 0 ? 'verified' : 'failed';
  const verified: RestoreRecord = { ...record, state, checks, heartbeats: heartbeats.figures, digest };
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
