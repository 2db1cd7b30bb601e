import { ConditionFailed } from '../../errors/store-errors.ts';
import type { ImageRecords } from '../../ports/image-records.ts';
import type { ImageRecord } from '../../training/images.ts';
import { absent, compare } from './expressions.ts';
import { imageKey, imagesPartition } from './keys.ts';
import { imageForm } from './records.ts';
import { keptDays } from './schema.ts';
import { partitionIs, type Table } from './table.ts';

const daySeconds = 86_400;

/** An image that is not bad is forgotten when it has not been used for long; a mark stays until somebody clears it. */
function ttlOf({ badSince, provenAt, failures }: ImageRecord): number | undefined {
  const newest = failures.at(-1)?.at ?? provenAt;
  if (badSince !== undefined || newest === undefined) return undefined;
  return Math.floor(Date.parse(newest) / 1000) + keptDays.image * daySeconds;
}

/** Records of images in the table, all in one partition: there are as many as digests that were released of late. */
export function tableImageRecords(table: Table): ImageRecords {
  return {
    find: async (images) => {
      const items = await table.getMany([...new Set(images)].map(imageKey));
      return items.map((item) => imageForm.read(item));
    },
    list: async () => {
      const items = await table.query({ partition: partitionIs(imagesPartition) });
      return items.map((item) => imageForm.read(item));
    },
    put: async (record, expected) => {
      const written = imageForm.write({ ...record, version: expected + 1 });
      const condition = expected === 0 ? absent('pk') : compare('version', '=', expected);
      const item = { ...imageKey(record.image), ...written, ttl: ttlOf(record) };
      const { done, item: there } = await table.put(item, condition);
      if (done) return;
      const found = Number(there?.['version'] ?? 0);
      throw new ConditionFailed(`image ${record.image} is at version ${found}, not ${expected}`, {
        found,
        expected,
      });
    },
  };
}
