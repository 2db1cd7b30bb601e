import type { RunFilter } from '../../ports/run-store.ts';
import type { Run } from '../../training/run.ts';
import { absent, beginsWith, compare } from './expressions.ts';
import { openAttributes, runKeys, tenantKeys } from './keys.ts';
import { runForm } from './records.ts';
import { type PartitionQuery, partitionIs } from './table.ts';
import type { TransactionPart } from './transact-item.ts';

/** The writes that make a run: the record, refused when it is there, and its entries in the lists of tenant, date and night. */
export function createRunParts(run: Run): TransactionPart[] {
  const { runId, tenantId, logicalDate } = run;
  const open = run.status === 'running' ? openAttributes('RUN', runId) : {};
  const entry = { runId, tenantId, logicalDate };
  return [
    { put: { ...runKeys.record(runId), ...runForm.write(run), ...open }, condition: absent('pk') },
    { put: { ...runKeys.ofTenant(run), ...entry } },
    { put: { ...runKeys.ofDate(run), ...entry } },
    ...(run.nightArn === undefined ? [] : [{ put: { ...runKeys.ofNight(run, run.nightArn), ...entry } }]),
  ];
}

/** The list that answers a filter, the shortest one first; undefined when no list does. */
export function listingOf(filter: RunFilter): PartitionQuery | undefined {
  const { tenantId, logicalDate, nightArn, status, limit } = filter;
  const narrowed =
    [tenantId, logicalDate, nightArn, status].filter((value) => value !== undefined).length > 1;
  const some = limit === undefined || narrowed ? {} : { limit };
  if (nightArn !== undefined) return { partition: partitionIs(runKeys.nightPartition(nightArn)), ...some };
  if (tenantId !== undefined)
    return {
      partition: partitionIs(tenantKeys.partition(tenantId)),
      range: beginsWith('sk', tenantKeys.runs),
      ...(logicalDate === undefined ? {} : { filter: compare('logicalDate', '=', logicalDate) }),
      ...some,
    };
  if (logicalDate === undefined) return undefined;
  return { partition: partitionIs(runKeys.datePartition(logicalDate)), ...some };
}
