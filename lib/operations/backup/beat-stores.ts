import { type Heartbeat, heartbeatAt, heartbeatKey } from '../../backup/cloud/heartbeat.ts';
import { type StoreName, storeNames } from '../../backup/cloud/records.ts';
import type { Ports } from '../../ports/ports.ts';
import { noteAcknowledged } from './heartbeat-ledger.ts';
import { required } from './required.ts';

type Needed = Pick<
  Ports,
  'databaseHeartbeats' | 'recoveryRecords' | 'replica' | 'objects' | 'config' | 'clock' | 'metrics' | 'log'
>;

/** What a pass wrote, and where it could not. */
export interface Beaten {
  readonly n: number;
  readonly acknowledged: readonly StoreName[];
  /** Why, by store. */
  readonly failed: Partial<Readonly<Record<StoreName, string>>>;
}

function writersOf(ports: Needed): Partial<Record<StoreName, (heartbeat: Heartbeat) => Promise<void>>> {
  const { databaseHeartbeats, recoveryRecords, objects, config } = ports;
  const live = databaseHeartbeats?.live;
  return {
    ...(live ? { database: (heartbeat) => live.beat(heartbeat) } : {}),
    table: (heartbeat) => recoveryRecords.beat(heartbeat),
    objects: (heartbeat) =>
      objects.put(`s3://${config.dataBucket}/${heartbeatKey}`, JSON.stringify(heartbeat), {
        contentType: 'application/json',
      }),
  };
}

/**
 * Writes this minute's number into database, table and bucket and, once a store has acknowledged it, into the ledger in the other region.
 * A store that fails keeps no other one from its heartbeat; it is counted, and the next minute comes. A database whose network is not
 * reached gets none.
 */
export async function beatStores(ports: Needed): Promise<Beaten | undefined> {
  const { config, clock, metrics, log } = ports;
  if (config.recovery.mode === 'off') return undefined;
  const replica = required(ports.replica);
  const heartbeat = heartbeatAt(clock.now());
  const writers = writersOf(ports);
  const acknowledged: StoreName[] = [];
  const failed: Partial<Record<StoreName, string>> = {};
  await Promise.all(
    storeNames.map(async (store) => {
      const write = writers[store];
      if (!write) return;
      try {
        await write(heartbeat);
        await noteAcknowledged(replica, store, heartbeat);
        acknowledged.push(store);
      } catch (error) {
        failed[store] = (error as Error).message;
      }
      metrics.count('HeartbeatsAcknowledged', failed[store] === undefined ? 1 : 0, { store });
    }),
  );
  if (Object.keys(failed).length > 0) log.warn('heartbeat failed', { n: heartbeat.n, failed });
  return { n: heartbeat.n, acknowledged: acknowledged.sort(), failed };
}
