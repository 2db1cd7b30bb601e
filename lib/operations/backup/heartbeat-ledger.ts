import type { Heartbeat, Heartbeats } from '../../backup/cloud/heartbeat.ts';
import { type StoreName, storeNames } from '../../backup/cloud/records.ts';
import type { ReplicaObjects } from '../../ports/backup/replica-objects.ts';

type Replica = Pick<ReplicaObjects, 'bucket' | 'objects'>;

const uriOf = ({ bucket }: Replica, store: StoreName) => `s3://${bucket}/recovery/ledger/${store}.json`;

/** A heartbeat that is kept as an object; undefined when there is none. */
export async function readHeartbeat({ objects }: Replica, uri: string): Promise<Heartbeat | undefined> {
  if (!(await objects.head(uri))) return undefined;
  return JSON.parse(new TextDecoder().decode(await objects.get(uri))) as Heartbeat;
}

/** What each store has acknowledged, as the ledger in the other region has it; stores that never did are absent. */
export async function readLedger(replica: Replica): Promise<Heartbeats> {
  const found = await Promise.all(
    storeNames.map(async (store) => [store, await readHeartbeat(replica, uriOf(replica, store))] as const),
  );
  return Object.fromEntries(found.filter(([, heartbeat]) => heartbeat !== undefined));
}

/** Notes what a store has acknowledged. The ledger is in the other region, and no replication writes it. */
export async function noteAcknowledged(
  replica: Replica,
  store: StoreName,
  heartbeat: Heartbeat,
): Promise<void> {
  await replica.objects.put(uriOf(replica, store), JSON.stringify(heartbeat), {
    contentType: 'application/json',
  });
}
