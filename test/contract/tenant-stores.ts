import { describe, expect, it } from 'vitest';
import type { ClaimStore } from '../../lib/ports/claim-store.ts';
import type { ImageRecords } from '../../lib/ports/image-records.ts';
import type { LeaseStore } from '../../lib/ports/lease-store.ts';
import type { LockStore } from '../../lib/ports/lock-store.ts';
import type { ModelRegistry } from '../../lib/ports/model-registry.ts';
import type { QualityVerdicts } from '../../lib/ports/quality-verdicts.ts';
import type { TenantStore } from '../../lib/ports/tenant-store.ts';
import { aModel, aTenant } from '../fixtures/records.ts';
import { qualityVerdictsContract } from './quality-verdicts.ts';

/** The stores of one table, empty. */
export interface TenantStores {
  readonly tenants: TenantStore;
  readonly leases: LeaseStore;
  readonly claims: ClaimStore;
  readonly locks: LockStore;
  readonly models: ModelRegistry;
  readonly verdicts: QualityVerdicts;
  readonly imageRecords: ImageRecords;
}

const at = (minute: number) => `2026-11-24T02:${String(minute).padStart(2, '0')}:00.000Z`;

const modelOf = (modelVersion: string) => aModel({ modelVersion, runId: modelVersion });

/** What every set of tenant stores must do. */
export function describeTenantStores(name: string, make: () => Promise<TenantStores>): void {
  describe(`TenantStore: ${name}`, () => {
    it('tenant version n + 1 is written over version n only', async () => {
      const { tenants } = await make();
      await tenants.put(aTenant(), 0);
      await expect(tenants.put(aTenant(), 0)).rejects.toMatchObject({ name: 'ConditionFailed' });
      await tenants.put(aTenant({ priority: 99 }), 1);
      expect(await tenants.get('acme')).toMatchObject({ priority: 99, version: 2 });
      await expect(tenants.remove('acme', 1)).rejects.toMatchObject({ name: 'ConditionFailed' });
      await tenants.remove('acme', 2);
      expect(await tenants.get('acme')).toBeUndefined();
    });

    it('a tenant is read back as written, and listed only while it exists', async () => {
      const { tenants } = await make();
      const tenant = aTenant({
        resources: { train: { cpu: 2, memoryMiB: 1024 } },
        limits: { maxDocuments: 5 },
        datasets: ['a'],
      });
      await tenants.put(tenant, 0);
      expect(await tenants.get('acme')).toEqual(tenant);
      await tenants.remove('acme', 1);
      expect(await tenants.list()).toEqual([]);
      await tenants.put(aTenant(), 0);
      expect(await tenants.list()).toEqual([aTenant()]);
    });

    it('one of two writers over the same tenant version loses', async () => {
      const { tenants } = await make();
      await tenants.put(aTenant(), 0);
      const results = await Promise.allSettled([
        tenants.put(aTenant({ priority: 1 }), 1),
        tenants.put(aTenant({ priority: 2 }), 1),
      ]);
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('tenants are listed by id', async () => {
      const { tenants } = await make();
      for (const tenantId of ['zeta', 'acme', 'beta']) await tenants.put(aTenant({ tenantId }), 0);
      expect((await tenants.list()).map((tenant) => tenant.tenantId)).toEqual(['acme', 'beta', 'zeta']);
    });
  });

  describe(`LeaseStore: ${name}`, () => {
    const take = (leases: LeaseStore, holder: string, now: number) =>
      leases.acquire({ tenantId: 'acme', holder, now: at(now), expiresAt: at(now + 15) });

    it('a lease has one holder; its fence rises with every acquisition, also across releases', async () => {
      const { leases } = await make();
      const first = await take(leases, 'a', 0);
      await expect(take(leases, 'b', 1)).rejects.toMatchObject({
        name: 'TenantBusy',
        details: { holder: 'a' },
      });
      const again = await take(leases, 'a', 2);
      expect(again.fence).toBeGreaterThan(first.fence);
      await leases.release({ tenantId: 'acme', holder: 'a', fence: again.fence });
      expect(await leases.get('acme')).toBeUndefined();
      expect((await take(leases, 'b', 3)).fence).toBeGreaterThan(again.fence);
    });

    it('is taken again by its holder only in the same try of its execution or a later one', async () => {
      const { leases } = await make();
      const take = (redriveCount: number, minute = 1) =>
        leases.acquire({ tenantId: 'acme', holder: 'a', redriveCount, now: at(minute), expiresAt: at(15) });
      const first = await take(1);
      await expect(take(0)).rejects.toMatchObject({ name: 'TenantBusy' });
      expect(await take(1)).toMatchObject({ redriveCount: 1, fence: first.fence + 1 });
      const third = await take(2);
      expect(third).toMatchObject({ redriveCount: 2, fence: first.fence + 2 });
      await leases.release({ tenantId: 'acme', holder: 'a', fence: third.fence });
      expect(await take(0)).toMatchObject({ redriveCount: 0 });
    });

    it('F29: expires inside the condition of the write: nobody has to sweep it', async () => {
      const { leases } = await make();
      const first = await take(leases, 'a', 0);
      const second = await take(leases, 'b', 16);
      expect(second.fence).toBeGreaterThan(first.fence);
      await expect(
        leases.renew({ tenantId: 'acme', holder: 'a', fence: first.fence, expiresAt: at(40) }),
      ).rejects.toMatchObject({ name: 'StaleFence' });
      await leases.release({ tenantId: 'acme', holder: 'a', fence: first.fence });
      expect(await leases.get('acme')).toMatchObject({ holder: 'b' });
    });

    it('a renewal moves the expiry of a lease', async () => {
      const { leases } = await make();
      const { fence } = await take(leases, 'a', 0);
      await leases.renew({ tenantId: 'acme', holder: 'a', fence, expiresAt: at(50) });
      await expect(take(leases, 'b', 30)).rejects.toMatchObject({ name: 'TenantBusy' });
    });

    it('F28: one of two that race for a lease gets it', async () => {
      const { leases } = await make();
      const results = await Promise.allSettled([take(leases, 'a', 0), take(leases, 'b', 0)]);
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    });
  });

  describe(`ClaimStore: ${name}`, () => {
    it('a scheduled time is claimed by one holder, who may ask again', async () => {
      const { claims } = await make();
      const claim = (holder: string) =>
        claims.claim({ machine: 'm', scheduledTime: at(0), holder, now: at(1) });
      expect(await claim('a')).toEqual({ claimed: true, holder: 'a' });
      expect(await claim('a')).toEqual({ claimed: true, holder: 'a' });
      expect(await claim('b')).toEqual({ claimed: false, holder: 'a' });
    });
  });

  describe(`LockStore: ${name}`, () => {
    const lock = (locks: LockStore, holder: string, now: number) =>
      locks.tryLock({ name: 'reconcile/0', holder, now: at(now), expiresAt: at(now + 1) });

    it('a lock has one holder until it is released or expires; the write itself compares', async () => {
      const { locks } = await make();
      expect(await lock(locks, 'a', 0)).toBe(true);
      expect(await lock(locks, 'b', 0)).toBe(false);
      expect(await lock(locks, 'a', 0)).toBe(true);
      await locks.unlock({ name: 'reconcile/0', holder: 'b' });
      expect(await lock(locks, 'b', 0)).toBe(false);
      expect(await lock(locks, 'b', 1)).toBe(true);
      await locks.unlock({ name: 'reconcile/0', holder: 'b' });
      expect(await lock(locks, 'c', 1)).toBe(true);
      expect(await locks.tryLock({ name: 'another', holder: 'd', now: at(1), expiresAt: at(2) })).toBe(true);
    });

    it('one of two that race for a lock gets it', async () => {
      const { locks } = await make();
      const results = await Promise.all([lock(locks, 'a', 0), lock(locks, 'b', 0)]);
      expect(results.sort()).toEqual([false, true]);
    });
  });

  describe(`ModelRegistry: ${name}`, () => {
    const promote = (models: ModelRegistry, modelVersion: string, fence: number) =>
      models.promote({ tenantId: 'acme', modelVersion, fence, at: at(5), reason: 'run' });

    it('a promotion switches model and index together and keeps the replaced version', async () => {
      const { models } = await make();
      await models.register(modelOf('v1'));
      await models.register(modelOf('v1'));
      await models.register(modelOf('v2'));
      expect((await models.list('acme')).map((model) => model.modelVersion)).toEqual(['v2', 'v1']);
      expect(await promote(models, 'v1', 1)).not.toHaveProperty('previousVersion');
      const live = await promote(models, 'v2', 2);
      expect(live).toMatchObject({
        previousVersion: 'v1',
        modelUri: modelOf('v2').modelUri,
        indexUri: modelOf('v2').indexUri,
      });
      expect(await models.live('acme')).toEqual(live);
    });

    it('F13, F14: a promotion is refused when its fence is older than that of the live record or the lease', async () => {
      const { models, leases } = await make();
      await models.register(modelOf('v1'));
      await models.register(modelOf('v2'));
      await promote(models, 'v2', 5);
      await expect(promote(models, 'v1', 4)).rejects.toMatchObject({ name: 'StaleFence' });
      for (let holder = 0; holder < 7; holder += 1)
        await leases.acquire({ tenantId: 'acme', holder: 'x', now: at(0), expiresAt: at(20) });
      await expect(promote(models, 'v1', 6)).rejects.toMatchObject({ name: 'StaleFence' });
      expect(await models.live('acme')).toMatchObject({ modelVersion: 'v2' });
    });

    it('two promotions that race under one fence are both decided, one after the other', async () => {
      const { models } = await make();
      await models.register(modelOf('v1'));
      await models.register(modelOf('v2'));
      await Promise.all([promote(models, 'v1', 1), promote(models, 'v2', 1)]);
      const live = await models.live('acme');
      expect(new Set([live?.modelVersion, live?.previousVersion])).toEqual(new Set(['v1', 'v2']));
    });

    it('a promoted model is listed as unaligned until its fixed names are noted as aligned', async () => {
      const { models } = await make();
      const whole = { shard: 0, shards: 1 };
      await models.register(modelOf('v1'));
      await models.register(modelOf('v2'));
      const first = await promote(models, 'v1', 1);
      expect(await models.listUnaligned(whole)).toEqual([first]);
      expect(await models.noteAligned({ ...first, at: at(6) })).toBe(true);
      expect(await models.listUnaligned(whole)).toEqual([]);
      expect(await models.live('acme')).toEqual({ ...first, fixedNamesAt: at(6) });
      expect(await promote(models, 'v2', 2)).not.toHaveProperty('fixedNamesAt');
      expect((await models.listUnaligned(whole)).map(({ modelVersion }) => modelVersion)).toEqual(['v2']);
    });

    it('an alignment is not noted for a model that is no longer live, nor for an earlier promotion of it', async () => {
      const { models } = await make();
      await models.register(modelOf('v1'));
      await models.register(modelOf('v2'));
      const first = await promote(models, 'v1', 1);
      await promote(models, 'v2', 2);
      expect(await models.noteAligned({ ...first, at: at(6) })).toBe(false);
      const again = await promote(models, 'v1', 3);
      expect(await models.noteAligned({ ...first, at: at(6) })).toBe(false);
      expect(await models.live('acme')).toEqual(again);
      expect(await models.noteAligned({ ...again, at: at(6) })).toBe(true);
      expect(await models.noteAligned({ ...again, tenantId: 'nobody', at: at(6) })).toBe(false);
    });

    it('unaligned models are listed, each in exactly one shard', async () => {
      const { models } = await make();
      const tenants = Array.from({ length: 40 }, (_, index) => `tenant-${index}`);
      for (const tenantId of tenants) {
        await models.register({ ...modelOf('v1'), tenantId });
        await models.promote({ tenantId, modelVersion: 'v1', fence: 1, at: at(5), reason: 'run' });
      }
      const shards = await Promise.all([0, 1, 2].map((shard) => models.listUnaligned({ shard, shards: 3 })));
      const listed = shards.flat().map(({ tenantId }) => tenantId);
      expect(listed.sort()).toEqual([...tenants].sort());
      expect(shards.filter((each) => each.length > 0).length).toBeGreaterThan(1);
    });

    it('a promotion of the live model changes nothing; one of an unregistered model is refused', async () => {
      const { models } = await make();
      await models.register(modelOf('v1'));
      const first = await promote(models, 'v1', 1);
      expect(await promote(models, 'v1', 2)).toEqual(first);
      await expect(promote(models, 'v9', 3)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    });
  });

  describe(`ImageRecords: ${name}`, () => {
    const image = `data-pipeline@sha256:${'a'.repeat(64)}`;
    const other = `ml-engine@sha256:${'b'.repeat(64)}`;
    const failure = { tenantId: 'acme', runId: 'r', submittedAt: at(0), at: at(5), why: 'manifest unknown' };

    it('an image record is read back as written, and found and listed by its image', async () => {
      const { imageRecords } = await make();
      expect(await imageRecords.find([image])).toEqual([]);
      const bad = { image, version: 0, failures: [failure], provenAt: at(0), badSince: at(5) };
      await imageRecords.put(bad, 0);
      await imageRecords.put({ image: other, version: 0, failures: [], provenAt: at(1) }, 0);
      expect(await imageRecords.find([image, 'none', image])).toEqual([{ ...bad, version: 1 }]);
      expect((await imageRecords.list()).map((record) => record.image)).toEqual([image, other]);
      const { badSince: _, ...good } = bad;
      await imageRecords.put(good, 1);
      expect(await imageRecords.find([image])).toEqual([{ ...good, version: 2 }]);
    });

    it('one of two writers over the same version of an image record loses', async () => {
      const { imageRecords } = await make();
      const put = (why: string, version: number) =>
        imageRecords.put({ image, version, failures: [{ ...failure, why }] }, version);
      for (const version of [0, 1]) {
        const results = await Promise.allSettled([put('a', version), put('b', version)]);
        expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      }
      await expect(put('c', 0)).rejects.toMatchObject({ name: 'ConditionFailed' });
    });
  });

  qualityVerdictsContract(name, async () => (await make()).verdicts);
}
