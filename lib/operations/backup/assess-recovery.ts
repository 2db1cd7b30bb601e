import { type PointRecord, reachOfAll, type StoreName, storeNames } from '../../backup/cloud/records.ts';
import { knownSchema } from '../../backup/cloud/records-schema.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { reachOfDatabase, reachOfObjects, reachOfTable } from './assess-stores.ts';
import { exportSettings } from './export-settings.ts';
import { readReplicas } from './read-replicas.ts';
import { repairReplication } from './repair-replication.ts';
import { required } from './required.ts';
import { toldFailures } from './told-failures.ts';

type Needed = Pick<
  Ports,
  | 'databases'
  | 'tables'
  | 'replication'
  | 'replica'
  | 'replicationControl'
  | 'recoveryRecords'
  | 'tenants'
  | 'models'
  | 'objects'
  | 'config'
  | 'clock'
  | 'metrics'
  | 'log'
>;

/** Milliseconds that recording the point is given after the last object was read. */
const reserveMs = 60_000;

/** Finds what could be restored now, exports the settings, and records both as a point. `remainingMs` is the invocation's. */
export async function assessRecovery(ports: Needed, remainingMs: () => number): Promise<PointRecord> {
  const { clock, recoveryRecords, metrics, log } = ports;
  const now = clock.now();
  const databases = required(ports.databases);
  const instance = await databases.home.instance(databases.id);
  const [database, table, { failedOperations, ...replicated }, unversioned, told] = await Promise.all([
    reachOfDatabase(databases, instance),
    reachOfTable(required(ports.tables)),
    reachOfObjects(required(ports.replication), now),
    required(ports.replicationControl).unversioned(),
    toldFailures(ports),
  ]);
  const objects = await readReplicas(ports, () => remainingMs() > reserveMs);
  const stores: Record<StoreName, PointRecord['stores'][StoreName]> = {
    database,
    table,
    objects: {
      ...replicated,
      faults: [
        ...unversioned.map((bucket) => `VERSIONING_REQUIRED: bucket ${bucket} keeps no versions`),
        ...replicated.faults,
        ...objects.faults,
      ],
    },
  };
  const point: PointRecord = {
    kind: 'point',
    id: isoNow(clock),
    stores,
    ...reachOfAll(stores),
    objects: { ...objects, ...(told.named.length > 0 ? { told: told.named } : {}) },
    ...(instance ? { databaseSettings: instance.settings } : {}),
    schema: { version: knownSchema.version, readableFrom: knownSchema.readableFrom },
    export: await exportSettings(ports),
  };
  await recoveryRecords.put(point);
  // Where a bucket keeps no versions nothing is replicated, and nothing can be repaired.
  const failed = failedOperations + told.failed.length;
  const isBroken = unversioned.length === 0 && (failed > 0 || objects.faults.length > 0);
  // Until a repair has begun after them, failures are told again every hour.
  if (await repairReplication(ports, isBroken)) await told.forget();
  if (objects.mended?.length) metrics.count('ReplicationRepairs', objects.mended.length);
  metrics.count('RecoveryPointsRecorded', point.newest === undefined ? 0 : 1);
  for (const store of storeNames) metrics.count('RecoveryFaults', stores[store].faults.length, { store });
  const faults = storeNames.flatMap((store) => stores[store].faults.map((fault) => `${store}: ${fault}`));
  log[faults.length > 0 ? 'warn' : 'info']('recovery assessed', { newest: point.newest ?? 'none', faults });
  return point;
}
