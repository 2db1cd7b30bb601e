import { StaleFence } from '../../errors/run-errors.ts';
import { ConditionFailed, NotFound } from '../../errors/store-errors.ts';
import type { ModelRegistry } from '../../ports/model-registry.ts';
import type { LiveModel, ModelVersion } from '../../training/models/model.ts';
import { absent, all, any, beginsWith, both, compare, type Part, present } from './expressions.ts';
import { openAttributes, tenantKeys } from './keys.ts';
import { openItems } from './open-work.ts';
import { liveForm, modelForm } from './records.ts';
import { partitionIs, type Table } from './table.ts';
import type { Item } from './table-errors.ts';

/** Times a promotion is decided again because somebody else promoted between reading and writing. */
const rounds = 5;

type Promotion = Parameters<ModelRegistry['promote']>[0];

interface Standing {
  readonly chosen?: ModelVersion;
  readonly before?: LiveModel;
  readonly leaseFence: number;
}

/** What a promotion is decided from, read by one call. */
async function standingOf(table: Table, { tenantId, modelVersion }: Promotion): Promise<Standing> {
  const keys = [
    tenantKeys.model(tenantId, modelVersion),
    tenantKeys.live(tenantId),
    tenantKeys.lease(tenantId),
  ];
  const items = await table.getMany(keys);
  const of = (index: number) => items.find(({ sk }) => sk === keys[index]?.sk);
  const [model, live] = [of(0), of(1)];
  return {
    ...(model ? { chosen: modelForm.read(model) } : {}),
    ...(live ? { before: liveForm.read(live) } : {}),
    leaseFence: Number(of(2)?.['fence'] ?? 0),
  };
}

function nextLive(chosen: ModelVersion, before: LiveModel | undefined, promotion: Promotion): LiveModel {
  const { tenantId, modelVersion, fence, at, reason } = promotion;
  const { modelUri, indexUri, dataUri, cacheUri } = chosen;
  const previous = before ? { previousVersion: before.modelVersion } : {};
  const pair = { modelUri, indexUri, dataUri, cacheUri };
  return { tenantId, modelVersion, ...previous, ...pair, fence, promotedAt: at, reason };
}

/** A live record that has just been switched to: its fixed names are open work until they are noted as aligned. */
function liveItem(live: LiveModel): Item {
  const { tenantId } = live;
  return { ...tenantKeys.live(tenantId), ...liveForm.write(live), ...openAttributes('MODEL', tenantId) };
}

/** The live record is still the one that the promotion was decided from. */
function isStill(before: LiveModel | undefined, fence: number): Part {
  if (!before) return absent('pk');
  return all(compare('modelVersion', '=', before.modelVersion), compare('fence', '<=', fence));
}

/** Switches model and index by one transaction that also checks the lease's fence. */
async function promote(table: Table, promotion: Promotion): Promise<LiveModel> {
  const { tenantId, modelVersion, fence } = promotion;
  for (let round = 0; round < rounds; round += 1) {
    const { chosen, before, leaseFence } = await standingOf(table, promotion);
    if (!chosen) throw new NotFound('MODEL_NOT_FOUND', `Tenant "${tenantId}" has no model ${modelVersion}.`);
    const current = Math.max(leaseFence, before?.fence ?? 0);
    if (fence < current) throw new StaleFence(tenantId, fence, current);
    if (before?.modelVersion === modelVersion) return before;
    const next = nextLive(chosen, before, promotion);
    const refusals = await table.transact([
      { put: liveItem(next), condition: isStill(before, fence) },
      // Not forgotten since it was read.
      { check: tenantKeys.model(tenantId, modelVersion), condition: present('pk') },
      {
        check: tenantKeys.lease(tenantId),
        condition: any(absent('pk'), compare('fence', '<=', fence)),
      },
    ]);
    if (!refusals) return next;
  }
  throw new ConditionFailed(`the live model of ${tenantId} keeps changing`, { tenantId });
}

/** Models and live pairs in the table. */
export function tableModelRegistry(table: Table): ModelRegistry {
  return {
    register: async (model) => {
      const { tenantId, modelVersion } = model;
      await table.put(
        { ...tenantKeys.model(tenantId, modelVersion), ...modelForm.write(model) },
        absent('pk'),
      );
    },
    get: async (tenantId, modelVersion) => {
      const item = await table.get(tenantKeys.model(tenantId, modelVersion));
      return item ? modelForm.read(item) : undefined;
    },
    list: async (tenantId) => {
      const items = await table.query({
        partition: partitionIs(tenantKeys.partition(tenantId)),
        range: beginsWith('sk', tenantKeys.models),
        newestFirst: true,
      });
      return items.map((item) => modelForm.read(item));
    },
    live: async (tenantId) => {
      const item = await table.get(tenantKeys.live(tenantId));
      return item ? liveForm.read(item) : undefined;
    },
    promote: (promotion) => promote(table, promotion),
    noteAligned: async ({ tenantId, modelVersion, fence, at }) => {
      const { done } = await table.update(
        tenantKeys.live(tenantId),
        { fixedNamesAt: at, openPart: null, openOrder: null },
        both(compare('modelVersion', '=', modelVersion), compare('fence', '=', fence)),
      );
      return done;
    },
    listUnaligned: async (shard) =>
      (await openItems(table, 'MODEL', shard)).map((item) => liveForm.read(item)),
  };
}
