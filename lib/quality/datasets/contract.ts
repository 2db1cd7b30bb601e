import { z } from 'zod';
import { pathOfFileUri } from '../../objects/file-uri.ts';
import { parseObjectUri } from '../../objects/object-uri.ts';

/** Types that a field may be required to have. */
export const fieldTypes = ['string', 'integer', 'number', 'boolean', 'date', 'timestamp'] as const;

/** One of them. */
export type FieldType = (typeof fieldTypes)[number];

const fieldName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]+$/u, 'must hold no control characters');

const share = z.number().min(0).max(1);

/** Fields of which the mix of values is followed, and of which numbers are, at most: what is learnt of each has to be kept. */
const mostCategories = 5;

/** Why a place is none of a dataset, or undefined. */
function locationFault(uri: string): string | undefined {
  try {
    if (uri.startsWith('file:')) pathOfFileUri(uri);
    else parseObjectUri(uri);
    return uri.endsWith('/') ? undefined : 'it does not end in "/"';
  } catch (error) {
    return (error as Error).message.replace(/\.$/, '');
  }
}

const location = z.string().superRefine((uri, { addIssue }) => {
  const fault = locationFault(uri);
  if (fault !== undefined)
    addIssue(`must be a folder, s3://bucket/prefix/, or file:///path/ on this host; ${fault}`);
});

/** What is promised of a dataset; unknown keys are errors. */
export const contractSchema = z
  .strictObject({
    /** Folder of the data, `s3://bucket/prefix/`, or `file:///path/` on this host. */
    location,
    format: z.enum(['parquet', 'csv', 'jsonl']),
    /** Between the fields of a CSV file; a comma where it is absent. */
    delimiter: z.string().length(1).optional(),
    /** `date`: folders `date=2026-11-24/`; `hour`: `date=2026-11-24/hour=02/`. All in UTC. */
    partitioning: z.enum(['none', 'date', 'hour']).default('none'),
    /** Minutes after its end until which a partition may still be written: it is not missed before. */
    watermarkMinutes: z.int().min(0).max(10_080).default(60),
    /** Fields that each row has to hold, and their types; of a `category` the mix of values is followed. */
    fields: z
      .array(z.strictObject({ name: fieldName, type: z.enum(fieldTypes), category: z.boolean().optional() }))
      .max(200)
      .default([]),
    /** Fields that name a row together: no two rows have the same. */
    keys: z.array(fieldName).max(20).default([]),
    /** Field of type timestamp that says when a row happened. */
    eventTime: fieldName.optional(),
    /** Fewer rows are critical: of a partition, or of the dataset where it has none. */
    minRows: z.int().min(1).default(1),
    /** Most hours since the newest row happened, or, without `eventTime`, since the newest file arrived. */
    maxAgeHours: z.number().positive().max(8_784).optional(),
    /** Share of rows in which a required field may be empty, in which it may have another type, and that may be broken. */
    maxNulls: share.default(0.01),
    maxTypeErrors: share.default(0.01),
    maxBroken: share.default(0.01),
    /** Share of rows that may repeat a key. */
    maxDuplicates: share.default(0),
  })
  .superRefine(({ fields, keys, eventTime, format, delimiter }, { addIssue }) => {
    const names = fields.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) addIssue(`fields: "${twice}" is there twice`);
    const unknown = keys.find((key) => !names.includes(key));
    if (unknown !== undefined) addIssue(`keys: "${unknown}" is not among the fields`);
    if (eventTime !== undefined && fields.find(({ name }) => name === eventTime)?.type !== 'timestamp')
      addIssue(`eventTime: "${eventTime}" is no field of type timestamp`);
    const categories = fields.filter(({ category }) => category);
    if (categories.length > mostCategories)
      addIssue(`fields: ${categories.length} are categories, at most ${mostCategories} may be`);
    if (delimiter !== undefined && format !== 'csv') addIssue('delimiter: only CSV has one');
  });

/** What is promised of a dataset. */
export type DatasetContract = z.output<typeof contractSchema>;
