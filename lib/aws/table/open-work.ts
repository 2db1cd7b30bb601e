import type { Shard } from '../../training/shards.ts';
import { between, compare } from './expressions.ts';
import { type ItemKey, type OpenKind, openRanges } from './keys.ts';
import { openWork } from './schema.ts';
import type { Table } from './table.ts';
import type { Item } from './table-errors.ts';

const keyOf = (item: Item): ItemKey => ({ pk: String(item['pk']), sk: String(item['sk']) });

/** Open work of a shard: keys from the index, then the items as they are now; what is over already is dropped. */
export async function openItems(table: Table, kind: OpenKind, shard: Shard): Promise<Item[]> {
  const ranges = openRanges(kind, shard);
  const pages = await Promise.all(
    ranges.map(({ openPart, from, to }) =>
      table.query({
        index: openWork.name,
        partition: compare(openWork.partitionKey, '=', openPart),
        range: between(openWork.sortKey, from, to),
      }),
    ),
  );
  const items = await table.getMany(pages.flat().map(keyOf));
  return items.filter((item) => item['openPart'] !== undefined);
}
