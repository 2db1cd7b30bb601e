import type { TableRecords } from '../../ports/backup/table-service.ts';
import { absent, any, compare } from './expressions.ts';
import { recoveryKeys } from './keys.ts';
import { tableModelRegistry } from './model-registry.ts';
import { recoverTable } from './recover-table.ts';
import { readEpoch, readHeartbeat } from './recovery-records.ts';
import { Table, type TableOptions } from './table.ts';
import { tableTenantStore } from './tenant-store.ts';

/** The records of any table of a region: a restored one, or the one that was backed up. No task token is opened. */
export function openTableRecords(options: TableOptions): TableRecords {
  const table = new Table(options);
  return {
    tenants: tableTenantStore(table),
    models: tableModelRegistry(table),
    recoveryRecords: { epoch: () => readEpoch(table), heartbeat: () => readHeartbeat(table) },
    recover: (request) => recoverTable(table, request),
    supersede: async (epoch) => {
      const free = any(absent('supersededBy'), compare('supersededBy', '<', epoch));
      await table.update(recoveryKeys.epoch, { supersededBy: epoch }, free);
    },
  };
}
