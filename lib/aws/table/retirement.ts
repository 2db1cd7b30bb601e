import type { Retirement } from '../../ports/backup/retirement.ts';
import { absent, all, any, beginsWith, compare, type Part, present } from './expressions.ts';
import { retirementKeys, runKeys, tenantKeys } from './keys.ts';
import { partitionIs, type Table } from './table.ts';
import type { Item } from './table-errors.ts';

/** The live record is the one that was decided on. */
function isStill(live: Parameters<Retirement['forgetModel']>[1]['live']): Part {
  if (!live) return absent('pk');
  const { modelVersion, fence } = live;
  return all(compare('modelVersion', '=', modelVersion), compare('fence', '=', fence));
}

const retiredItem = (prefix: string, tenantId: string, at: string) => ({
  put: { ...retirementKeys.of(at, prefix), prefix, tenantId, at, goneHere: false },
});

/** Retirement in the table. */
export function tableRetirement(table: Table): Retirement {
  return {
    forgetModel: async ({ tenantId, modelVersion }, { live, prefix, at }) => {
      const refusals = await table.transact([
        { check: tenantKeys.live(tenantId), condition: isStill(live) },
        { remove: tenantKeys.model(tenantId, modelVersion) },
        retiredItem(prefix, tenantId, at),
      ]);
      return refusals === undefined;
    },
    forgetRun: async (run, { prefix, at }) => {
      const { runId, tenantId, nightArn } = run;
      const attempts = await table.query({
        partition: partitionIs(runKeys.partition(runId)),
        range: beginsWith('sk', runKeys.attempts),
      });
      // The run itself goes last: what is interrupted is found again.
      for (const { pk, sk } of attempts)
        await table.remove({ pk: String(pk), sk: String(sk) }, any(absent('pk'), present('settledAt')));
      const refusals = await table.transact([
        { remove: runKeys.record(runId), condition: compare('status', '<>', 'running') },
        { remove: runKeys.ofTenant(run) },
        { remove: runKeys.ofDate(run) },
        ...(nightArn === undefined ? [] : [{ remove: runKeys.ofNight(run, nightArn) }]),
        retiredItem(prefix, tenantId, at),
      ]);
      return refusals === undefined;
    },
    retired: async (before) =>
      (
        await table.query({
          partition: partitionIs(retirementKeys.partition),
          range: compare('sk', '<', before),
        })
      ).map((item: Item) => ({
        prefix: String(item['prefix']),
        tenantId: String(item['tenantId']),
        at: String(item['at']),
        goneHere: item['goneHere'] === true,
      })),
    noteGone: async ({ at, prefix }) => {
      await table.update(retirementKeys.of(at, prefix), { goneHere: true }, present('pk'));
    },
    end: async ({ at, prefix }) => {
      await table.remove(retirementKeys.of(at, prefix), present('pk'));
    },
  };
}
