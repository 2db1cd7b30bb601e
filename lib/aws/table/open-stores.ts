import type { AuditLog } from '../../ports/audit-log.ts';
import type { Ports } from '../../ports/ports.ts';
import { tableAuditLog } from './audit-log.ts';
import { tableImageRecords } from './image-records.ts';
import { tableClaimStore, tableLeaseStore, tableLockStore } from './lease-store.ts';
import { tableModelRegistry } from './model-registry.ts';
import { tableQualityVerdicts } from './quality-verdicts.ts';
import { tableRecoveryRecords } from './recovery-records.ts';
import { tableReleaseRecords } from './release-records.ts';
import { TableRunStore } from './run-store.ts';
import { createSealedTokens } from './sealed-tokens.ts';
import { Table, type TableOptions } from './table.ts';
import { tableTenantStore } from './tenant-store.ts';
import { createTokenKeys, type KeyService } from './token-keys.ts';

/** What the stores are made of. */
export interface TableStoresOptions extends TableOptions {
  readonly tokenKeyArn: string | undefined;
  /** Called with the first token. */
  readonly kms: () => Promise<KeyService>;
}

/** The stores of one table. */
export type TableStores = Pick<
  Ports,
  | 'tenants'
  | 'runs'
  | 'leases'
  | 'claims'
  | 'locks'
  | 'models'
  | 'verdicts'
  | 'imageRecords'
  | 'recoveryRecords'
  | 'releases'
>;

/** The audit log of one table. Functions have none: who acts is known where operators come in. */
export function openTableAuditLog(options: TableOptions): AuditLog {
  return tableAuditLog(new Table(options));
}

/** All stores over one table. Makes no call by itself. */
export function openTableStores(options: TableStoresOptions): TableStores {
  const table = new Table(options);
  const { clock, tokenKeyArn: keyArn, kms } = options;
  const tokens = createSealedTokens(createTokenKeys({ table, clock, keyArn, kms }));
  return {
    tenants: tableTenantStore(table),
    runs: new TableRunStore(table, tokens),
    leases: tableLeaseStore(table),
    claims: tableClaimStore(table),
    locks: tableLockStore(table),
    models: tableModelRegistry(table),
    verdicts: tableQualityVerdicts(table),
    imageRecords: tableImageRecords(table),
    recoveryRecords: tableRecoveryRecords({ table, tokens, clock }),
    releases: tableReleaseRecords(table, tokens),
  };
}
