import { StaleFence, TenantBusy } from '../../lib/errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../../lib/errors/store-errors.ts';
import type { ClaimStore } from '../../lib/ports/claim-store.ts';
import type { ImageRecords } from '../../lib/ports/image-records.ts';
import type { Lease, LeaseStore } from '../../lib/ports/lease-store.ts';
import type { LockStore } from '../../lib/ports/lock-store.ts';
import type { ModelRegistry } from '../../lib/ports/model-registry.ts';
import type { QualityVerdicts } from '../../lib/ports/quality-verdicts.ts';
import type { TenantStore } from '../../lib/ports/tenant-store.ts';
import type { DatasetMemory, PartitionEntry } from '../../lib/quality/datasets/memory.ts';
import type {
  GateOverride,
  QualityHistoryEntry,
  QualityMemory,
  QualityVerdict,
} from '../../lib/quality/verdict.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import type { ImageRecord } from '../../lib/training/images.ts';
import type { LiveModel, ModelVersion } from '../../lib/training/models/model.ts';
import { isOfShard } from '../../lib/training/shards.ts';
import type { Guards } from './guards.ts';
import { type Records, recordKeys } from './memory-run-store.ts';

/** A lease as it is on record, also when it was given back: its fence never goes back. */
export type HeldLease = Lease & { readonly held: boolean };

/** What a store in memory is made of. */
export interface StoreParts {
  readonly records: Records;
  readonly guards: Guards;
}

const listOf = <T>(records: Records, prefix: string): T[] =>
  [...records.keys()]
    .filter((key) => key.startsWith(prefix))
    .sort()
    .map((key) => records.get(key) as T);

/** Leases in memory. */
export function memoryLeases({ records, guards }: StoreParts): LeaseStore {
  const read = (tenantId: string) => records.get(recordKeys.lease(tenantId)) as HeldLease | undefined;
  const isHeldBy = (lease: HeldLease | undefined, { holder, fence }: { holder: string; fence: number }) =>
    ![
      guards.holds('holder and fence', lease?.holder === holder && lease.fence === fence),
      guards.holds('held', lease?.held === true),
    ].includes(false);
  return {
    acquire: async ({ tenantId, holder, now, expiresAt, redriveCount = 0 }) => {
      const there = read(tenantId);
      const mine = there?.holder === holder;
      const fits = [
        mine || guards.holds('free', !there?.held || there.expiresAt <= now),
        !mine ||
          guards.holds('try', !there.held || there.redriveCount <= redriveCount || there.expiresAt <= now),
      ];
      if (fits.includes(false)) throw new TenantBusy(tenantId, there?.holder ?? '');
      const lease: HeldLease = {
        tenantId,
        holder,
        fence: (there?.fence ?? 0) + 1,
        expiresAt,
        redriveCount,
        held: true,
      };
      records.set(recordKeys.lease(tenantId), lease);
      const { held: _, ...taken } = lease;
      return taken;
    },
    renew: async (asked) => {
      const there = read(asked.tenantId);
      if (!isHeldBy(there, asked) || !there)
        throw new StaleFence(asked.tenantId, asked.fence, there?.fence ?? 0);
      records.set(recordKeys.lease(asked.tenantId), { ...there, expiresAt: asked.expiresAt });
    },
    release: async (asked) => {
      const there = read(asked.tenantId);
      if (isHeldBy(there, asked) && there)
        records.set(recordKeys.lease(asked.tenantId), { ...there, held: false });
    },
    get: async (tenantId) => {
      const there = read(tenantId);
      if (!there?.held) return undefined;
      const { held: _, ...lease } = there;
      return lease;
    },
  };
}

/** Locks in memory. */
export function memoryLocks({ records, guards }: StoreParts): LockStore {
  type Lock = { readonly holder: string; readonly expiresAt: string };
  const read = (name: string) => records.get(`lock ${name}`) as Lock | undefined;
  return {
    tryLock: async ({ name, holder, now, expiresAt }) => {
      const there = read(name);
      if (!guards.holds('free', !there || there.holder === holder || there.expiresAt <= now)) return false;
      records.set(`lock ${name}`, { holder, expiresAt });
      return true;
    },
    unlock: async ({ name, holder }) => {
      const there = read(name);
      if (there && guards.holds('holder', there.holder === holder)) records.delete(`lock ${name}`);
    },
  };
}

/** Claims in memory. */
export function memoryClaims({ records, guards }: StoreParts): ClaimStore {
  return {
    claim: async ({ machine, scheduledTime, holder }) => {
      const key = `claim ${machine} ${scheduledTime}`;
      const there = records.get(key) as { readonly holder: string } | undefined;
      if (there && !guards.holds('unclaimed', there.holder === holder))
        return { claimed: false, holder: there.holder };
      records.set(key, { holder });
      return { claimed: true, holder };
    },
  };
}

/** Models and live pairs in memory. */
export function memoryModels({ records, guards }: StoreParts): ModelRegistry {
  const model = (tenantId: string, version: string) =>
    records.get(`model ${tenantId}/${version}`) as ModelVersion | undefined;
  const live = (tenantId: string) => records.get(`live ${tenantId}`) as LiveModel | undefined;
  return {
    register: async (entry) => {
      const there = model(entry.tenantId, entry.modelVersion);
      if (guards.holds('absent', there === undefined))
        records.set(`model ${entry.tenantId}/${entry.modelVersion}`, entry);
    },
    get: async (tenantId, version) => model(tenantId, version),
    list: async (tenantId) => listOf<ModelVersion>(records, `model ${tenantId}/`).reverse(),
    live: async (tenantId) => live(tenantId),
    noteAligned: async ({ tenantId, modelVersion, fence, at }) => {
      const there = live(tenantId);
      const isStill = there?.modelVersion === modelVersion && there.fence === fence;
      if (!there || !guards.holds('still live', isStill)) return false;
      records.set(`live ${tenantId}`, { ...there, fixedNamesAt: at });
      return true;
    },
    listUnaligned: async (shard) =>
      listOf<LiveModel>(records, 'live ').filter(
        ({ tenantId, fixedNamesAt }) => fixedNamesAt === undefined && isOfShard(tenantId, shard),
      ),
    promote: async ({ tenantId, modelVersion, fence, at, reason }) => {
      const chosen = model(tenantId, modelVersion);
      if (!chosen)
        throw new NotFound('MODEL_NOT_FOUND', `Tenant "${tenantId}" has no model ${modelVersion}.`);
      const before = live(tenantId);
      const leaseFence = (records.get(recordKeys.lease(tenantId)) as HeldLease | undefined)?.fence ?? 0;
      const fits = [
        guards.holds('fence of the lease', fence >= leaseFence),
        guards.holds('fence of the live model', fence >= (before?.fence ?? 0)),
      ];
      if (fits.includes(false))
        throw new StaleFence(tenantId, fence, Math.max(leaseFence, before?.fence ?? 0));
      if (before?.modelVersion === modelVersion) return before;
      const { modelUri, indexUri, dataUri, cacheUri } = chosen;
      const previous = before ? { previousVersion: before.modelVersion } : {};
      const pair = { modelUri, indexUri, dataUri, cacheUri };
      const next: LiveModel = { tenantId, modelVersion, ...previous, ...pair, fence, promotedAt: at, reason };
      records.set(`live ${tenantId}`, next);
      return next;
    },
  };
}

/** Quality verdicts in memory. */
export function memoryVerdicts({ records, guards }: StoreParts): QualityVerdicts {
  const read = (tenantId: string) => records.get(`verdict ${tenantId}`) as QualityVerdict | undefined;
  const memoryOf = (tenantId: string) => records.get(`memory ${tenantId}`) as QualityMemory | undefined;
  const datasetOf = (tenantId: string) => records.get(`dataset ${tenantId}`) as DatasetMemory | undefined;
  const entriesOf = (tenantId: string) =>
    [...records].flatMap(([key, record]) =>
      key.startsWith(`quality ${tenantId} `) ? [record as QualityHistoryEntry] : [],
    );
  const standing = (tenantId: string) => ({
    verdict: read(tenantId),
    override: records.get(`override ${tenantId}`) as GateOverride | undefined,
  });
  return {
    standing: async (tenantId) => standing(tenantId),
    standings: async (tenantIds) => tenantIds.map(standing),
    record: async (verdict) => {
      const there = read(verdict.tenantId);
      if (!guards.holds('not older', !there || there.checkedAt <= verdict.checkedAt)) return false;
      records.set(`verdict ${verdict.tenantId}`, verdict);
      return true;
    },
    memory: async (tenantId) => memoryOf(tenantId),
    remember: async (memory) => {
      const there = memoryOf(memory.tenantId);
      if (guards.holds('not older', !there || there.checkedAt <= memory.checkedAt))
        records.set(`memory ${memory.tenantId}`, memory);
    },
    append: async (entry) => {
      records.set(`quality ${entry.tenantId} ${entry.checkedAt}`, entry);
    },
    history: async (tenantId, limit) =>
      entriesOf(tenantId)
        .toSorted((a, b) => b.checkedAt.localeCompare(a.checkedAt))
        .slice(0, limit),
    dataset: async (tenantId) => datasetOf(tenantId),
    rememberDataset: async (memory) => {
      const there = datasetOf(memory.tenantId);
      if (guards.holds('not older', !there || there.checkedAt <= memory.checkedAt))
        records.set(`dataset ${memory.tenantId}`, memory);
    },
    appendPartitions: async (entries) => {
      for (const entry of entries) {
        const key = `partition ${entry.tenantId} ${entry.at}`;
        const there = records.get(key) as PartitionEntry | undefined;
        if (guards.holds('not older', !there || there.asOf <= entry.asOf)) records.set(key, entry);
      }
    },
    partitions: async (tenantId, limit) =>
      listOf<PartitionEntry>(records, `partition ${tenantId} `)
        .toSorted((a, b) => b.at.localeCompare(a.at))
        .slice(0, limit),
    putOverride: async (override) => {
      records.set(`override ${override.tenantId}`, override);
    },
  };
}

/** Records of images in memory. */
export function memoryImageRecords({ records, guards }: StoreParts): ImageRecords {
  const read = (image: string) => records.get(`image ${image}`) as ImageRecord | undefined;
  return {
    find: async (images) => [...new Set(images)].map(read).filter((record) => record !== undefined),
    list: async () => listOf<ImageRecord>(records, 'image '),
    put: async (record, expected) => {
      const found = read(record.image)?.version ?? 0;
      if (!guards.holds('version', found === expected))
        throw new ConditionFailed(`image ${record.image} is at version ${found}, not ${expected}`);
      records.set(`image ${record.image}`, { ...record, version: expected + 1 });
    },
  };
}

/** Tenants in memory. */
export function memoryTenants({ records, guards }: StoreParts): TenantStore {
  const read = (tenantId: string) => records.get(`tenant ${tenantId}`) as Tenant | undefined;
  const demand = (tenantId: string, expected: number) => {
    const found = read(tenantId)?.version ?? 0;
    if (guards.holds('version', found === expected)) return;
    throw new ConditionFailed(`tenant ${tenantId} is at version ${found}, not ${expected}`, {
      found,
      expected,
    });
  };
  return {
    get: async (tenantId) => read(tenantId),
    list: async () => listOf<Tenant>(records, 'tenant '),
    put: async (tenant, expected) => {
      demand(tenant.tenantId, expected);
      records.set(`tenant ${tenant.tenantId}`, { ...tenant, version: expected + 1 });
    },
    remove: async (tenantId, expected) => {
      demand(tenantId, expected);
      records.delete(`tenant ${tenantId}`);
    },
  };
}
