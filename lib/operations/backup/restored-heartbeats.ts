import { type Heartbeats, heartbeatKey, judgeHeartbeats } from '../../backup/cloud/heartbeat.ts';
import type { RestoreRecord } from '../../backup/cloud/records.ts';
import type { Ports } from '../../ports/ports.ts';
import { readHeartbeat, readLedger } from './heartbeat-ledger.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'databases' | 'tables' | 'replica' | 'databaseHeartbeats'>;

/** The heartbeat of a restored database, where this process reaches its network; undefined where it does not. */
async function ofDatabase({ databases, databaseHeartbeats }: Needed, { target }: RestoreRecord) {
  const open = databaseHeartbeats?.restored;
  if (!open) return undefined;
  const found = await required(databases).there.instance(target.database);
  if (!found?.endpoint) return undefined;
  return (await open(found.endpoint).newest()) ?? null;
}

/** What restored stores have of the heartbeat, held against the ledger that was kept outside them. */
export async function restoredHeartbeats(
  ports: Needed,
  record: RestoreRecord,
): Promise<ReturnType<typeof judgeHeartbeats>> {
  const replica = required(ports.replica);
  const [ledger, database, table, objects] = await Promise.all([
    readLedger(replica),
    ofDatabase(ports, record).catch((error: unknown) => error as Error),
    required(ports.tables).there.stores(record.target.table).recoveryRecords.heartbeat(),
    readHeartbeat(replica, `s3://${replica.bucket}/${heartbeatKey}`),
  ]);
  const restored: Heartbeats = {
    ...(database === undefined || database instanceof Error ? {} : { database }),
    table: table ?? null,
    objects: objects ?? null,
  };
  const { check, figures } = judgeHeartbeats(restored, ledger, record.point);
  const unread = database instanceof Error ? [`database: ${database.message}`] : [];
  return { check: { ...check, faults: [...unread, ...check.faults] }, figures };
}
