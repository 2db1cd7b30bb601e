import { heartbeatKey } from '../../backup/cloud/heartbeat.ts';
import { type StoreName, storeNames } from '../../backup/cloud/records.ts';
import type { Ports } from '../../ports/ports.ts';
import { reachOfObjects } from './assess-stores.ts';
import { readHeartbeat } from './heartbeat-ledger.ts';
import { required } from './required.ts';

type Needed = Pick<
  Ports,
  | 'databases'
  | 'tables'
  | 'replication'
  | 'replica'
  | 'recoveryRecords'
  | 'config'
  | 'clock'
  | 'metrics'
  | 'log'
>;

/** Days within which a drill has to have passed. */
const drillDays = 8;
const dayMs = 86_400_000;

/** Drills that are looked back at. */
const drillsBack = 20;

/** The heartbeat that has arrived in the other region says how far objects have; undefined when none has. */
async function arrived(ports: Needed): Promise<string | undefined> {
  const replica = required(ports.replica);
  return (await readHeartbeat(replica, `s3://${replica.bucket}/${heartbeatKey}`))?.at;
}

/** The newest moment of each store in the other region, as it is found there. */
async function newestThere(ports: Needed): Promise<Record<StoreName, string | undefined>> {
  const { clock } = ports;
  const databases = required(ports.databases);
  const tables = required(ports.tables);
  const [database, table, replicated, heartbeat] = await Promise.all([
    databases.there.continuousBackup(databases.id),
    tables.there.continuousBackup(tables.name),
    reachOfObjects(required(ports.replication), clock.now()),
    arrived(ports),
  ]);
  const objects = replicated.faults.length === 0 ? heartbeat : undefined;
  return { database: database?.newest, table: table?.newest, objects };
}

/** Says how long ago the last drill passed and how long it took; gives whether that is fresh enough. */
async function drillIsFresh({ recoveryRecords, clock, metrics }: Needed): Promise<boolean> {
  const drills = await recoveryRecords.newest('drill', drillsBack);
  const passed = drills
    .filter((drill) => drill.passed)
    .sort((a, b) => (a.finishedAt < b.finishedAt ? 1 : -1));
  const [last] = passed;
  if (!last) return false;
  const finished = Date.parse(last.finishedAt);
  const age = Math.max(0, clock.now() - finished);
  metrics.duration('RestoreDrillAge', age);
  metrics.duration('RestoreDrillDuration', Math.max(0, finished - Date.parse(last.id)));
  return age <= drillDays * dayMs;
}

/**
 * Says how old the newest moment of each store is where it would be restored. What cannot be found out counts
 * as too old. Gives the ages in minutes; absent where nothing was found.
 */
export async function watchRecovery(ports: Needed): Promise<Partial<Record<StoreName, number>>> {
  const { config, clock, metrics, log } = ports;
  const { recovery } = config;
  if (recovery.mode === 'off') return {};
  const newest = await newestThere(ports);
  const ages: Partial<Record<StoreName, number>> = {};
  for (const store of storeNames) {
    const at = newest[store];
    if (at === undefined) continue;
    const age = Math.max(0, clock.now() - Date.parse(at));
    metrics.duration('RecoveryPointAge', age, { store });
    ages[store] = Math.ceil(age / 60_000);
  }
  const fresh = storeNames.every((store) => (ages[store] ?? Number.POSITIVE_INFINITY) <= recovery.rpoMinutes);
  metrics.count('RecoveryPointsFresh', fresh ? 1 : 0);
  metrics.count('RestoreDrillsFresh', (await drillIsFresh(ports)) ? 1 : 0);
  log[fresh ? 'info' : 'warn']('recovery watched', { ages });
  return ages;
}
