import { StaleFence, TenantBusy } from '../../errors/run-errors.ts';
import type { ClaimStore } from '../../ports/claim-store.ts';
import type { LeaseStore } from '../../ports/lease-store.ts';
import type { LockStore } from '../../ports/lock-store.ts';
import { absent, any, both, compare, oneMore } from './expressions.ts';
import { claimKey, lockKey, tenantKeys } from './keys.ts';
import { heldBy } from './new-attempt.ts';
import { leaseForm } from './records.ts';
import { keptDays } from './schema.ts';
import type { Table } from './table.ts';

const daySeconds = 86_400;
const seconds = (at: string) => Math.floor(Date.parse(at) / 1000);

/** Leases in the table. A released lease keeps its item, because its fence must never go back. */
export function tableLeaseStore(table: Table): LeaseStore {
  return {
    acquire: async ({ tenantId, holder, now, expiresAt, redriveCount = 0 }) => {
      const free = any(
        absent('pk'),
        compare('held', '=', false),
        both(compare('holder', '=', holder), compare('redriveCount', '<=', redriveCount)),
        compare('expiresAt', '<=', now),
      );
      const changes = { tenantId, holder, expiresAt, redriveCount, held: true, fence: oneMore('fence') };
      const { done, item } = await table.update(tenantKeys.lease(tenantId), changes, free);
      if (done && item) return leaseForm.read(item);
      throw new TenantBusy(tenantId, String(item?.['holder']));
    },
    renew: async ({ tenantId, holder, fence, expiresAt }) => {
      const { done, item } = await table.update(
        tenantKeys.lease(tenantId),
        { expiresAt },
        heldBy({ holder, fence }),
      );
      if (!done) throw new StaleFence(tenantId, fence, Number(item?.['fence'] ?? 0));
    },
    release: async ({ tenantId, holder, fence }) => {
      await table.update(tenantKeys.lease(tenantId), { held: false }, heldBy({ holder, fence }));
    },
    get: async (tenantId) => {
      const item = await table.get(tenantKeys.lease(tenantId));
      return item?.['held'] === true ? leaseForm.read(item) : undefined;
    },
  };
}

/** Claims of scheduled times in the table; they outlive every delivery that may still come. */
export function tableClaimStore(table: Table): ClaimStore {
  return {
    claim: async ({ machine, scheduledTime, holder, now }) => {
      const ttl = seconds(now) + keptDays.claim * daySeconds;
      const { done, item } = await table.put(
        { ...claimKey(machine, scheduledTime), holder, claimedAt: now, ttl },
        any(absent('pk'), compare('holder', '=', holder)),
      );
      return { claimed: done, holder: done ? holder : String(item?.['holder']) };
    },
  };
}

/** Locks in the table. */
export function tableLockStore(table: Table): LockStore {
  return {
    tryLock: async ({ name, holder, now, expiresAt }) => {
      const { done } = await table.put(
        { ...lockKey(name), holder, expiresAt, ttl: seconds(expiresAt) + daySeconds },
        any(absent('pk'), compare('holder', '=', holder), compare('expiresAt', '<=', now)),
      );
      return done;
    },
    unlock: async ({ name, holder }) => {
      await table.remove(lockKey(name), compare('holder', '=', holder));
    },
  };
}
