import { inParallel } from '../../concurrency/in-parallel.ts';
import type { RecordsRecovered, RecordsRecovery } from '../../ports/backup/table-service.ts';
import { beginsWith, present } from './expressions.ts';
import { openAttributes, tenantKeys } from './keys.ts';
import { partitionIs, type Table } from './table.ts';
import type { Item } from './table-errors.ts';

/** Tenants at a time. */
const atOnce = 8;
const keyOf = (item: Item) => ({ pk: String(item['pk']), sk: String(item['sk']) });

/** Attributes that name the bucket, as they are to be; pieces of JSON among them. */
function movedIn(item: Item, { from, to }: RecordsRecovery['buckets']): Item {
  const entries = Object.entries(item).flatMap(([name, value]) => {
    if (typeof value !== 'string' || name === 'pk' || name === 'sk') return [];
    const moved = value.replaceAll(`s3://${from}/`, `s3://${to}/`);
    return moved === value ? [] : [[name, moved]];
  });
  return Object.fromEntries(entries) as Item;
}

/**
 * Makes tenants, models and live pairs name the objects where they are from now on, and every live model open work again: the
 * reconciler announces it, its fixed names are brought in line and the new cache is filled of it, with no training. The one place that
 * moves records to another bucket.
 */
export async function moveRecords(
  table: Table,
  tenants: readonly string[],
  buckets: RecordsRecovery['buckets'],
): Promise<Pick<RecordsRecovered, 'moved' | 'models'>> {
  let [moved, models] = [0, 0];
  await inParallel(tenants, atOnce, async (tenantId) => {
    const [record, live] = [tenantKeys.record(tenantId), tenantKeys.live(tenantId)];
    const partition = partitionIs(tenantKeys.partition(tenantId));
    const registered = await table.query({ partition, range: beginsWith('sk', tenantKeys.models) });
    for (const item of [...(await table.getMany([record, live])), ...registered]) {
      const changes = movedIn(item, buckets);
      const isLive = item['sk'] === live.sk;
      if (Object.keys(changes).length > 0) moved += 1;
      else if (!isLive) continue;
      const open = isLive ? { ...openAttributes('MODEL', tenantId), fixedNamesAt: null } : {};
      await table.update(keyOf(item), { ...changes, ...open }, present('pk'));
      if (isLive) models += 1;
    }
  });
  return { moved, models };
}
