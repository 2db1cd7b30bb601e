import type { ScheduledClaim, TableRecords } from '../../ports/backup/table-service.ts';
import { absent, any, compare } from './expressions.ts';
import { claimKey, recoveryKeys } from './keys.ts';
import { tableModelRegistry } from './model-registry.ts';
import { recoverTable } from './recover-table.ts';
import { newestRecords, putRecord, readEpoch, readHeartbeat } from './recovery-records.ts';
import { partitionIs, Table, type TableOptions } from './table.ts';
import { tableTenantStore } from './tenant-store.ts';

/** Milliseconds before an instant for which scheduled times may have been claimed after it: the scheduler delivers for up to a day. */
const lateMs = 86_400_000;

async function claimsAfter(table: Table, at: string, machines: readonly string[]): Promise<ScheduledClaim[]> {
  const from = new Date(Date.parse(at) - lateMs).toISOString();
  const found = await Promise.all(
    machines.map(async (machine) => {
      const items = await table.query({
        partition: partitionIs(claimKey(machine, '').pk),
        range: compare('sk', '>', from),
        filter: compare('claimedAt', '>', at),
      });
      return items.map(({ sk, holder, claimedAt }) => ({
        machine,
        scheduledTime: String(sk),
        holder: String(holder),
        claimedAt: String(claimedAt),
      }));
    }),
  );
  return found.flat();
}

/** The records of any table of a region: a restored one, or the one that was backed up. No task token is opened. */
export function openTableRecords(options: TableOptions): TableRecords {
  const table = new Table(options);
  return {
    tenants: tableTenantStore(table),
    models: tableModelRegistry(table),
    recoveryRecords: {
      epoch: () => readEpoch(table),
      heartbeat: () => readHeartbeat(table),
      newest: (kind, limit) => newestRecords(table, kind, limit),
      put: (record) => putRecord(table, record, options.clock),
    },
    claimsAfter: (at, machines) => claimsAfter(table, at, machines),
    recover: (request) => recoverTable(table, request),
    supersede: async (epoch) => {
      const free = any(absent('supersededBy'), compare('supersededBy', '<', epoch));
      await table.update(recoveryKeys.epoch, { supersededBy: epoch }, free);
    },
  };
}
