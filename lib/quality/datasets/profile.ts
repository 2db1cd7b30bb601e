import { z } from 'zod';

const count = z.int().min(0);

/** What is known of one field over all rows that were read. */
const fieldProfile = z.strictObject({
  name: z.string(),
  /** No row has it. */
  missing: z.boolean(),
  nulls: count,
  /** Values that are there and are of another type. */
  typeErrors: count,
  /** Of numbers: mean and quantiles at 5, 50 and 95 %. */
  mean: z.number().nullable(),
  quantiles: z.tuple([z.number(), z.number(), z.number()]).nullable(),
});

/** A file that is left out, and why. */
const leftOutFile = z.strictObject({ file: z.string(), why: z.string() });

/** What one look at a dataset found. */
export const datasetProfileSchema = z.strictObject({
  files: count,
  bytes: count,
  /** When the newest file arrived; null without files. */
  newestArrival: z.iso.datetime().nullable(),
  unreadable: z.array(leftOutFile),
  /** Files that are still being written, by their names. */
  unfinished: count,
  rows: count,
  broken: count,
  duplicates: count,
  fields: z.array(fieldProfile),
  /** Rows by value, of fields that are categories: the most frequent values; the others count as "other". */
  categories: z.record(z.string(), z.record(z.string(), count)).default({}),
  /** Event time of the newest row, and rows that have none that can be read. */
  newestEvent: z.iso.datetime().nullable(),
  /** Rows by partition, `2026-11-24` or `2026-11-24T02`. */
  partitions: z.record(z.string(), count),
  /** Only a part of the files was read: they are larger than the check reads. */
  sampled: z.boolean(),
});

/** What one look at a dataset found. */
export type DatasetProfile = z.output<typeof datasetProfileSchema>;
