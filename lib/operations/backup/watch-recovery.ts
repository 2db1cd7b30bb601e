import { type StoreName, storeNames } from '../../backup/cloud/records.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { reachOfObjects } from './assess-stores.ts';
import { required } from './required.ts';

type Needed = Pick<
  Ports,
  | 'databases'
  | 'tables'
  | 'replication'
  | 'replica'
  | 'recoveryRecords'
  | 'objects'
  | 'config'
  | 'clock'
  | 'metrics'
  | 'log'
>;

/** Object that is written at each look; what of it has arrived says how far objects have. */
const heartbeatKey = 'recovery/heartbeat.json';

/** Days within which a drill has to have passed. */
const drillDays = 8;
const dayMs = 86_400_000;

/** Drills that are looked back at. */
const drillsBack = 20;

/** The number that was in the heartbeat's replica, as an instant; undefined when none has arrived. */
async function arrived({ replica }: Needed): Promise<string | undefined> {
  const { bucket, objects } = required(replica);
  const uri = `s3://${bucket}/${heartbeatKey}`;
  if (!(await objects.head(uri))) return undefined;
  return (JSON.parse(new TextDecoder().decode(await objects.get(uri))) as { readonly at: string }).at;
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

async function drillIsFresh({ recoveryRecords, clock }: Needed): Promise<boolean> {
  const drills = await recoveryRecords.newest('drill', drillsBack);
  const passed = drills.filter((drill) => drill.passed).map(({ finishedAt }) => Date.parse(finishedAt));
  return passed.some((at) => clock.now() - at <= drillDays * dayMs);
}

/**
 * Writes the heartbeat, and says how old the newest moment of each store is where it would be restored. What cannot be found out counts
 * as too old. Gives the ages in minutes; absent where nothing was found.
 */
export async function watchRecovery(ports: Needed): Promise<Partial<Record<StoreName, number>>> {
  const { config, clock, metrics, objects, log } = ports;
  const { recovery } = config;
  if (recovery.mode === 'off') return {};
  await objects.put(`s3://${config.dataBucket}/${heartbeatKey}`, JSON.stringify({ at: isoNow(clock) }), {
    contentType: 'application/json',
  });
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
