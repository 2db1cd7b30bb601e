import { z } from 'zod';

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

/** What is promised of a dataset; unknown keys are errors. */
export const contractSchema = z
  .strictObject({
    /** Folder of the data, `file:///path/`. */
    location: z.string().regex(/^file:\/\//, 'must be a folder of this host, file:///path/'),
    format: z.enum(['parquet', 'csv', 'jsonl']),
    /** Between the fields of a CSV file; a comma where it is absent. */
    delimiter: z.string().length(1).optional(),
    /** `date`: folders `date=2026-11-24/`; `hour`: `date=2026-11-24/hour=02/`. All in UTC. */
    partitioning: z.enum(['none', 'date', 'hour']).default('none'),
    /** Minutes after its end until which a partition may still be written: it is not missed before. */
    watermarkMinutes: z.int().min(0).max(10_080).default(60),
    /** Fields that each row has to hold, and their types. */
    fields: z
      .array(z.strictObject({ name: fieldName, type: z.enum(fieldTypes) }))
      .max(200)
      .default([]),
    /** Fields that name a row together: no two rows have the same. */
    keys: z.array(fieldName).max(20).default([]),
    /** Field of type timestamp that says when a row happened. */
    eventTime: fieldName.optional(),
    /** Fewer rows are critical. */
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
    if (delimiter !== undefined && format !== 'csv') addIssue('delimiter: only CSV has one');
  });

/** What is promised of a dataset. */
export type DatasetContract = z.output<typeof contractSchema>;
