import { inParallel } from '../../concurrency/in-parallel.ts';
import type { QualityVerdicts } from '../../ports/quality-verdicts.ts';
import { type GateStanding, historyDays } from '../../quality/verdict.ts';
import { absent, any, beginsWith, compare } from './expressions.ts';
import { tenantKeys } from './keys.ts';
import { datasetForm, historyForm, memoryForm, overrideForm, partitionForm, verdictForm } from './records.ts';
import { partitionIs, type Table } from './table.ts';

/** Partitions that are written side by side. */
const writesAtOnce = 8;

/** Quality verdicts, what was learnt, the history and operators' decisions in the table. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a factory; each function in it keeps the budget.
export function tableQualityVerdicts(table: Table): QualityVerdicts {
  const notLater = (checkedAt: string) => any(absent('pk'), compare('checkedAt', '<=', checkedAt));
  const keysOf = (tenantId: string) => [tenantKeys.verdict(tenantId), tenantKeys.override(tenantId)];

  async function standings(tenantIds: readonly string[]): Promise<GateStanding[]> {
    const items = await table.getMany(tenantIds.flatMap(keysOf));
    const byKey = new Map(items.map((item) => [`${item['pk']} ${item['sk']}`, item]));
    return tenantIds.map((tenantId) => {
      const [verdict, override] = keysOf(tenantId).map(({ pk, sk }) => byKey.get(`${pk} ${sk}`));
      return {
        verdict: verdict && verdictForm.read(verdict),
        override: override && overrideForm.read(override),
      };
    });
  }

  return {
    standing: async (tenantId) => {
      const [found] = await standings([tenantId]);
      return found ?? { verdict: undefined, override: undefined };
    },
    standings,
    record: async (verdict) => {
      const { done } = await table.put(
        { ...tenantKeys.verdict(verdict.tenantId), ...verdictForm.write(verdict) },
        notLater(verdict.checkedAt),
      );
      return done;
    },
    memory: async (tenantId) => {
      const item = await table.get(tenantKeys.baseline(tenantId));
      return item ? memoryForm.read(item) : undefined;
    },
    remember: async (memory) => {
      await table.put(
        { ...tenantKeys.baseline(memory.tenantId), ...memoryForm.write(memory) },
        notLater(memory.checkedAt),
      );
    },
    append: async (entry) => {
      const { tenantId, checkedAt } = entry;
      const ttl = Math.floor(Date.parse(checkedAt) / 1000) + historyDays * 86_400;
      await table.put({ ...tenantKeys.quality(tenantId, checkedAt), ...historyForm.write(entry), ttl });
    },
    history: async (tenantId, limit) => {
      const items = await table.query({
        partition: partitionIs(tenantKeys.partition(tenantId)),
        range: beginsWith('sk', tenantKeys.qualities),
        newestFirst: true,
        limit,
      });
      return items.map((item) => historyForm.read(item));
    },
    dataset: async (tenantId) => {
      const item = await table.get(tenantKeys.dataset(tenantId));
      return item ? datasetForm.read(item) : undefined;
    },
    rememberDataset: async (memory) => {
      await table.put(
        { ...tenantKeys.dataset(memory.tenantId), ...datasetForm.write(memory) },
        notLater(memory.checkedAt),
      );
    },
    appendPartitions: async (entries) => {
      await inParallel(entries, writesAtOnce, async (entry) => {
        const ttl = Math.floor(Date.parse(entry.asOf) / 1000) + historyDays * 86_400;
        await table.put(
          { ...tenantKeys.datasetPartition(entry.tenantId, entry.at), ...partitionForm.write(entry), ttl },
          any(absent('pk'), compare('asOf', '<=', entry.asOf)),
        );
      });
    },
    partitions: async (tenantId, limit) => {
      const items = await table.query({
        partition: partitionIs(tenantKeys.partition(tenantId)),
        range: beginsWith('sk', tenantKeys.datasetPartitions),
        newestFirst: true,
        limit,
      });
      return items.map((item) => partitionForm.read(item));
    },
    putOverride: async (override) => {
      await table.put({ ...tenantKeys.override(override.tenantId), ...overrideForm.write(override) });
    },
  };
}
