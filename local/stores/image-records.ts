import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type { ImageRecords } from '../../lib/ports/image-records.ts';
import type { ImageRecord } from '../../lib/training/images.ts';
import type { Database } from './database.ts';
import { bodyOf } from './tenant-stores.ts';

/** Records of images in SQLite. */
export function localImageRecords(db: Database): ImageRecords {
  const read = (image: string) =>
    bodyOf<ImageRecord>(db.get('SELECT body FROM images WHERE image = ?', image));
  return {
    find: async (images) => [...new Set(images)].map(read).filter((record) => record !== undefined),
    list: async () =>
      db
        .all('SELECT body FROM images ORDER BY image')
        .map((row) => JSON.parse(String(row['body'])) as ImageRecord),
    put: async (record, expected) =>
      db.transaction(() => {
        const found = read(record.image)?.version ?? 0;
        if (found !== expected)
          throw new ConditionFailed(`image ${record.image} is at version ${found}, not ${expected}`, {
            found,
            expected,
          });
        const stored = { ...record, version: expected + 1 };
        db.run(
          'INSERT OR REPLACE INTO images (image, version, body) VALUES (?, ?, ?)',
          record.image,
          stored.version,
          JSON.stringify(stored),
        );
      }),
  };
}
