import { join } from 'node:path';
import type { AuditLog } from '../../lib/ports/audit-log.ts';
import type { ClaimStore } from '../../lib/ports/claim-store.ts';
import type { ImageRecords } from '../../lib/ports/image-records.ts';
import type { LeaseStore } from '../../lib/ports/lease-store.ts';
import type { LockStore } from '../../lib/ports/lock-store.ts';
import type { ModelRegistry } from '../../lib/ports/model-registry.ts';
import type { QualityVerdicts } from '../../lib/ports/quality-verdicts.ts';
import type { ReleaseRecords } from '../../lib/ports/release/release-records.ts';
import type { RunStore } from '../../lib/ports/run-store.ts';
import type { TenantStore } from '../../lib/ports/tenant-store.ts';
import type { ScheduleCursorStore } from '../schedule/scheduler.ts';
import { localAuditLog } from './audit-log.ts';
import { Database } from './database.ts';
import { localImageRecords } from './image-records.ts';
import { lineageOf } from './lineage.ts';
import { localModelRegistry } from './model-registry.ts';
import { localQualityVerdicts } from './quality-store.ts';
import { localReleaseRecords } from './release-records.ts';
import { LocalRunStore } from './run-store.ts';
import { localScheduleCursors } from './schedule-cursors.ts';
import { storeMigrations } from './schema.ts';
import { localClaimStore, localLeaseStore, localLockStore, localTenantStore } from './tenant-stores.ts';
import { openTokenBox } from './token-box.ts';

/** All stores of one state directory. */
export interface LocalStores {
  readonly tenants: TenantStore;
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly claims: ClaimStore;
  readonly locks: LockStore;
  readonly models: ModelRegistry;
  readonly verdicts: QualityVerdicts;
  readonly imageRecords: ImageRecords;
  readonly releases: ReleaseRecords;
  readonly audit: AuditLog;
  readonly cursors: ScheduleCursorStore;
  /** Restores that these records have behind them. */
  epoch(): number;
  close(): void;
}

/** Opens `<stateDir>/store.db`; a reader needs no lock. */
export function openLocalStores({
  stateDir,
  readOnly = false,
}: {
  readonly stateDir: string;
  readonly readOnly?: boolean;
}): LocalStores {
  const db = new Database({ file: join(stateDir, 'store.db'), migrations: storeMigrations, readOnly });
  // The state directory has one writer: a lock that is there belongs to a process that is gone.
  if (!readOnly) db.run('DELETE FROM locks');
  const box = openTokenBox(join(stateDir, 'keys', 'token.key'));
  return {
    tenants: localTenantStore(db),
    runs: new LocalRunStore(db, box),
    leases: localLeaseStore(db),
    claims: localClaimStore(db),
    locks: localLockStore(db),
    models: localModelRegistry(db),
    verdicts: localQualityVerdicts(db),
    imageRecords: localImageRecords(db),
    releases: localReleaseRecords(db, box),
    audit: localAuditLog(db),
    cursors: localScheduleCursors(db),
    epoch: () => lineageOf(db).epoch,
    close: () => db.close(),
  };
}
