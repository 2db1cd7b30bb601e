import { StaleFence, TenantBusy } from '../../lib/errors/run-errors.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type { ClaimStore } from '../../lib/ports/claim-store.ts';
import type { Lease, LeaseStore } from '../../lib/ports/lease-store.ts';
import type { LockStore } from '../../lib/ports/lock-store.ts';
import type { TenantStore } from '../../lib/ports/tenant-store.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import type { Database, Row } from './database.ts';
import { floorOf } from './lineage.ts';

/** The record in a row's body; undefined where there is no row. */
export function bodyOf<T>(row: Row | undefined): T | undefined {
  return row ? (JSON.parse(String(row['body'])) as T) : undefined;
}

/** Tenant records in SQLite. */
export function localTenantStore(db: Database): TenantStore {
  const version = (tenantId: string): number =>
    Number(db.get('SELECT version FROM tenants WHERE tenant_id = ?', tenantId)?.['version'] ?? 0);
  const demand = (tenantId: string, expected: number): void => {
    const found = version(tenantId);
    if (found !== expected)
      throw new ConditionFailed(`tenant ${tenantId} is at version ${found}, not ${expected}`, {
        found,
        expected,
      });
  };
  return {
    get: async (tenantId) => bodyOf<Tenant>(db.get('SELECT body FROM tenants WHERE tenant_id = ?', tenantId)),
    list: async () =>
      db
        .all('SELECT body FROM tenants ORDER BY tenant_id')
        .map((row) => JSON.parse(String(row['body'])) as Tenant),
    put: async (tenant, expectedVersion) =>
      db.transaction(() => {
        demand(tenant.tenantId, expectedVersion);
        const stored = { ...tenant, version: expectedVersion + 1 };
        db.run(
          'INSERT OR REPLACE INTO tenants (tenant_id, version, body) VALUES (?, ?, ?)',
          tenant.tenantId,
          stored.version,
          JSON.stringify(stored),
        );
      }),
    remove: async (tenantId, expectedVersion) =>
      db.transaction(() => {
        demand(tenantId, expectedVersion);
        db.run('DELETE FROM tenants WHERE tenant_id = ?', tenantId);
      }),
  };
}

/** The lease on record, also when it is not held; its fence never goes back. */
export function leaseFromRow(row: Row | undefined): (Lease & { readonly held: boolean }) | undefined {
  if (!row) return undefined;
  const { tenant_id, holder, fence, expires_at, redrive_count, held } = row;
  return {
    tenantId: String(tenant_id),
    holder: String(holder),
    fence: Number(fence),
    expiresAt: String(expires_at),
    redriveCount: Number(redrive_count),
    held: held === 1,
  };
}

/** Leases in SQLite. A released lease keeps its row, because its fence must never go back. */
export function localLeaseStore(db: Database): LeaseStore {
  const read = (tenantId: string) =>
    leaseFromRow(db.get('SELECT * FROM leases WHERE tenant_id = ?', tenantId));
  return {
    acquire: async ({ tenantId, holder, now, expiresAt, redriveCount = 0 }) =>
      db.transaction(() => {
        const current = read(tenantId);
        const mine = current?.holder === holder && current.redriveCount <= redriveCount;
        if (current?.held && !mine && current.expiresAt > now) throw new TenantBusy(tenantId, current.holder);
        const fence = Math.max(current?.fence ?? 0, floorOf(db)) + 1;
        db.run(
          `INSERT OR REPLACE INTO leases (tenant_id, holder, fence, expires_at, redrive_count, held)
           VALUES (?, ?, ?, ?, ?, 1)`,
          tenantId,
          holder,
          fence,
          expiresAt,
          redriveCount,
        );
        return { tenantId, holder, fence, expiresAt, redriveCount };
      }),
    renew: async ({ tenantId, holder, fence, expiresAt }) => {
      const changed = db.run(
        'UPDATE leases SET expires_at = ? WHERE tenant_id = ? AND holder = ? AND fence = ? AND held = 1',
        expiresAt,
        tenantId,
        holder,
        fence,
      );
      if (changed === 0) throw new StaleFence(tenantId, fence, read(tenantId)?.fence ?? 0);
    },
    release: async ({ tenantId, holder, fence }) => {
      db.run(
        'UPDATE leases SET held = 0 WHERE tenant_id = ? AND holder = ? AND fence = ?',
        tenantId,
        holder,
        fence,
      );
    },
    get: async (tenantId) => {
      const found = read(tenantId);
      if (!found?.held) return undefined;
      const { held: _, ...lease } = found;
      return lease;
    },
  };
}

/** Claims of scheduled times in SQLite. */
export function localClaimStore(db: Database): ClaimStore {
  return {
    claim: async ({ machine, scheduledTime, holder, now }) =>
      db.transaction(() => {
        db.run(
          'INSERT OR IGNORE INTO claims (machine, scheduled_time, holder, claimed_at) VALUES (?, ?, ?, ?)',
          machine,
          scheduledTime,
          holder,
          now,
        );
        const row = db.get(
          'SELECT holder FROM claims WHERE machine = ? AND scheduled_time = ?',
          machine,
          scheduledTime,
        );
        const current = String(row?.['holder']);
        return { claimed: current === holder, holder: current };
      }),
  };
}

/** Locks in SQLite. */
export function localLockStore(db: Database): LockStore {
  return {
    tryLock: async ({ name, holder, now, expiresAt }) =>
      db.run(
        `INSERT INTO locks (name, holder, expires_at) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
         WHERE locks.holder = excluded.holder OR locks.expires_at <= ?`,
        name,
        holder,
        expiresAt,
        now,
      ) === 1,
    unlock: async ({ name, holder }) => {
      db.run('DELETE FROM locks WHERE name = ? AND holder = ?', name, holder);
    },
  };
}
