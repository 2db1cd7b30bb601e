import type { Heartbeat } from '../../lib/backup/cloud/heartbeat.ts';
import type { RecoveryRecord } from '../../lib/backup/cloud/records.ts';
import type { RecoveryRecords, Waiter } from '../../lib/ports/backup/recovery-records.ts';

/** Records of backups in this process: nothing on one host writes any, which has backups of its own (local/backup). */
export function memoryRecoveryRecords(epoch = () => 0): RecoveryRecords {
  const records = new Map<string, RecoveryRecord>();
  const waiters = new Map<string, Waiter>();
  let newest: Heartbeat | undefined;
  return {
    put: async (record) => {
      records.set(`${record.kind}/${record.id}`, structuredClone(record));
    },
    newest: async <K extends RecoveryRecord['kind']>(kind: K, limit: number) =>
      [...records.values()]
        .filter((record): record is Extract<RecoveryRecord, { kind: K }> => record.kind === kind)
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit),
    get: async <K extends RecoveryRecord['kind']>(kind: K, id: string) =>
      records.get(`${kind}/${id}`) as Extract<RecoveryRecord, { kind: K }> | undefined,
    epoch: async () => ({ epoch: epoch() }),
    beat: async (heartbeat) => {
      if (!newest || newest.n < heartbeat.n) newest = heartbeat;
    },
    heartbeat: async () => newest,
    wait: async (waiter) => {
      waiters.set(waiter.resource, waiter);
    },
    waiter: async (resource) => waiters.get(resource),
    endWait: async ({ resource, taskToken }) => {
      if (waiters.get(resource)?.taskToken === taskToken) waiters.delete(resource);
    },
  };
}

/** What the machines of backups find on one host: the settings say that they are off. */
export const recoveryPorts = (epoch: () => number) => ({
  recoveryRecords: memoryRecoveryRecords(epoch),
  databases: undefined,
  tables: undefined,
  replication: undefined,
  replica: undefined,
  databaseHeartbeats: undefined,
  retirement: undefined,
  replicationControl: undefined,
  consumers: undefined,
});
