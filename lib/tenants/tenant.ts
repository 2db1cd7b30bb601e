import { z } from 'zod';
import { epochsSchema, optionValues } from '../config/workloads.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import { pathOfFileUri } from '../objects/file-uri.ts';
import { parseObjectUri } from '../objects/object-uri.ts';
import { contractSchema } from '../quality/datasets/contract.ts';
import { rulesSchema } from '../quality/rules.ts';
import { stageNames } from '../training/stages.ts';

/** Allowed tenant ids; the pattern is repeated in every message that refuses one. */
export const tenantIdPattern = /^[a-z][a-z0-9-]{1,38}$/;

/**
 * Reserved names in the data bucket: a tenant of this name would have Epsilon's own files under its prefix, and the role of
 * its jobs would reach them.
 */
const ourPrefixes: ReadonlySet<string> = new Set(['cost', 'nights', 'quality', 'recovery', 'scaling']);

/** Kinds of machine a tenant's jobs may run on. */
export const backends = ['eks', 'batch', 'local'] as const;

/** One of the job backends. */
export type Backend = (typeof backends)[number];

const resources = z.strictObject({
  cpu: z.number().positive().max(256),
  memoryMiB: z.int().min(64).max(4_194_304),
});

/** Why a documents URI is not one, or undefined. */
function documentsFault(uri: string): string | undefined {
  try {
    if (uri.startsWith('file:')) pathOfFileUri(uri);
    else parseObjectUri(uri);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/\.$/, '');
  }
}

const documentsUri = z.string().superRefine((uri, { addIssue }) => {
  const fault = documentsFault(uri);
  if (fault !== undefined)
    addIssue(`must be an s3://bucket/prefix/ URI, or file:///path for the local backend; ${fault}`);
});

/** How files that hold many documents, and folders, are read. */
const reading = z.strictObject({
  /** Column of CSV, key of JSONL, that holds a document's text; "text" where it is absent. */
  textColumn: z.string().min(1).max(200).optional(),
  /** Column or key that names a document; "id" where it is absent. */
  idColumn: z.string().min(1).max(200).optional(),
  /** Share of a file's rows that may be bad, 0 to 1; 0.01 where it is absent. */
  badRowShare: z.number().min(0).max(1).optional(),
});

/** A tenant's record; unknown keys are errors. */
export const tenantSchema = z
  .strictObject({
    tenantId: z.string().regex(tenantIdPattern),
    status: z.enum(['active', 'suspended']),
    documentsUri,
    /** Whose jobs train it (infra/config); the reference workload where absent. */
    workload: z.string().optional(),
    modelType: z.string(),
    /** What the tenant's training has otherwise than the model type's declaration. */
    training: z
      .strictObject({ epochs: epochsSchema.optional(), options: optionValues.optional() })
      .optional(),
    backend: z.enum(backends),
    /** Who trains it every night: Epsilon, nobody, or Airflow (docs/airflow.md). A tenant has one scheduler. */
    schedule: z.enum(['on', 'off', 'airflow']),
    /** 0 (last) to 100 (first). */
    priority: z.int().min(0).max(100),
    capacity: z.strictObject({ spotAllowed: z.boolean() }),
    resources: z.partialRecord(z.enum(stageNames), resources),
    limits: z.strictObject({
      maxDocuments: z.int().positive().optional(),
      /** Tokens per epoch; the rest of the corpus is left out and the result says so. */
      maxTokens: z.int().positive().optional(),
    }),
    reading: reading.optional(),
    datasets: z.array(z.string().min(1)),
    /** What the quality checks ask of the documents. */
    quality: rulesSchema.optional(),
    /** What is promised of the tenant's dataset; the hourly checks hold it to that (docs/quality.md). */
    dataset: contractSchema.optional(),
    promotion: z.strictObject({
      /** Share of sampled passages that must find themselves first, 0 to 1. */
      minSelfRetrieval: z.number().min(0).max(1),
      /** Share of passages that a new model may find less than the live one, 0 to 1; 0.05 where it is absent. */
      maxRegression: z.number().min(0).max(1).optional(),
    }),
    /** Rises by one with every change. */
    version: z.int().positive(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .refine((tenant) => tenant.backend === 'local' || !tenant.documentsUri.startsWith('file:'), {
    error: 'a file:/// documents URI needs the local backend',
    path: ['documentsUri'],
  })
  .refine(({ backend, dataset }) => backend === 'local' || dataset?.location.startsWith('file:') !== true, {
    error: 'a file:/// location needs the local backend',
    path: ['dataset', 'location'],
  });

/** A tenant: whose documents, which model, on which backend, how often. */
export type Tenant = z.infer<typeof tenantSchema>;

/** The character at fault, by its number: look-alikes cannot be distinguished otherwise. */
function strangerIn(tenantId: unknown): string {
  const found = typeof tenantId === 'string' ? /[^\x20-\x7e]/u.exec(tenantId) : null;
  if (!found) return '';
  const number = found[0].codePointAt(0) ?? 0;
  return ` Character ${found.index + 1} is U+${number.toString(16).toUpperCase().padStart(4, '0')}.`;
}

/** Whether a word may be the id of a tenant. */
export function isTenantId(word: string | undefined): word is string {
  return word !== undefined && tenantIdPattern.test(word) && !ourPrefixes.has(word);
}

/** Throws `TENANT_ID_INVALID` unless the id has the allowed form; returns it unchanged. */
export function checkTenantId(tenantId: unknown): string {
  if (typeof tenantId === 'string' && ourPrefixes.has(tenantId))
    throw new EpsilonError(
      'TENANT_ID_INVALID',
      `Tenant id "${tenantId}" is not allowed: the name is reserved for a folder of Epsilon in the data bucket (${tenantIdPattern.source}).`,
      { details: { pattern: tenantIdPattern.source } },
    );
  if (typeof tenantId === 'string' && tenantIdPattern.test(tenantId)) return tenantId;
  throw new EpsilonError(
    'TENANT_ID_INVALID',
    `Tenant id ${JSON.stringify(tenantId)} is not allowed: use 2 to 39 of a-z, 0-9 and "-", starting with a letter (${tenantIdPattern.source}).${strangerIn(tenantId)}`,
    { details: { pattern: tenantIdPattern.source } },
  );
}
