import type { Heartbeat } from '../../backup/cloud/heartbeat.ts';
import type { RecoveryRecord } from '../../backup/cloud/records.ts';
import type { Epoch, RecoveryRecords } from '../../ports/backup/recovery-records.ts';
import type { Clock } from '../../ports/clock.ts';
import { absent, any, compare } from './expressions.ts';
import { recoveryKeys } from './keys.ts';
import { keptDays } from './schema.ts';
import type { SealedTokens } from './sealed-tokens.ts';
import { partitionIs, type Table } from './table.ts';
import type { Item } from './table-errors.ts';

const daySeconds = 86_400;

interface Options {
  readonly table: Table;
  readonly tokens: SealedTokens;
  readonly clock: Clock;
}

const bodyOf = <T extends RecoveryRecord>(item: Item) => JSON.parse(String(item['body'])) as T;

/** Where the records of a table are in the line of restores. */
export async function readEpoch(table: Table): Promise<Epoch> {
  const item = await table.get(recoveryKeys.epoch);
  const superseded = item?.['supersededBy'];
  return {
    epoch: Number(item?.['epoch'] ?? 0),
    ...(superseded === undefined ? {} : { supersededBy: Number(superseded) }),
  };
}

/** The newest heartbeat of a table; undefined when it has none. */
export async function readHeartbeat(table: Table): Promise<Heartbeat | undefined> {
  const item = await table.get(recoveryKeys.heartbeat);
  return item && { n: Number(item['n']), at: String(item['at']) };
}

const endOf = (clock: Clock, days: number) => Math.floor(clock.now() / 1000) + days * daySeconds;

/** Writes a record into a table, in place of one of the same kind and id. */
export async function putRecord(table: Table, record: RecoveryRecord, clock: Clock): Promise<void> {
  const key = recoveryKeys.record(record.kind, record.id);
  // Where records go on holds until another promotion says otherwise.
  const end = record.kind === 'place' ? {} : { ttl: endOf(clock, keptDays.recovery) };
  await table.put({ ...key, body: JSON.stringify(record), ...end });
}

/** One record of a kind in a table. */
export async function readRecord<T extends RecoveryRecord>(
  table: Table,
  kind: RecoveryRecord['kind'],
  id: string,
): Promise<T | undefined> {
  const item = await table.get(recoveryKeys.record(kind, id));
  return item && bodyOf<T>(item);
}

/** The newest records of a kind in a table, newest first. */
export async function newestRecords<K extends RecoveryRecord['kind']>(
  table: Table,
  kind: K,
  limit: number,
): Promise<Extract<RecoveryRecord, { kind: K }>[]> {
  const partition = partitionIs(recoveryKeys.partition(kind));
  return (await table.query({ partition, newestFirst: true, limit })).map((item) => bodyOf(item));
}

/** What is known of backups and restores, in the table: a partition for each kind. */
export function tableRecoveryRecords({ table, tokens, clock }: Options): RecoveryRecords {
  return {
    put: (record) => putRecord(table, record, clock),
    newest: (kind, limit) => newestRecords(table, kind, limit),
    get: async <K extends RecoveryRecord['kind']>(kind: K, id: string) =>
      readRecord<Extract<RecoveryRecord, { kind: K }>>(table, kind, id),
    epoch: () => readEpoch(table),
    beat: async ({ n, at }) => {
      await table.update(recoveryKeys.heartbeat, { n, at }, any(absent('pk'), compare('n', '<', n)));
    },
    heartbeat: () => readHeartbeat(table),
    wait: async ({ resource, taskToken, deadline }) => {
      const sealed = await tokens.seal(taskToken, `wait:${resource}`);
      await table.put({
        ...recoveryKeys.wait(resource),
        deadline,
        ...sealed,
        ttl: endOf(clock, keptDays.wait),
      });
    },
    waiter: async (resource) => {
      const item = await table.get(recoveryKeys.wait(resource));
      const taskToken = item && (await tokens.open(item, `wait:${resource}`));
      return taskToken === undefined
        ? undefined
        : { resource, taskToken, deadline: String(item?.['deadline']) };
    },
    endWait: async ({ resource, taskToken }) => {
      const item = await table.get(recoveryKeys.wait(resource));
      if (!item || (await tokens.open(item, `wait:${resource}`)) !== taskToken) return;
      await table.remove(recoveryKeys.wait(resource), compare('sealedToken', '=', item['sealedToken']));
    },
  };
}
