import type { Lease } from '../../ports/stores.ts';
import type { QualityVerdict } from '../../quality/verdict.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { LiveModel, ModelVersion } from '../../training/model.ts';
import { type Attempt, type Run, withShortCause } from '../../training/run.ts';
import type { Item } from './table-errors.ts';

/** Attributes that belong to the table and not to a record. */
const ours: ReadonlySet<string> = new Set([
  'pk',
  'sk',
  'ttl',
  'writeId',
  'openPart',
  'openOrder',
  'held',
  'sealedToken',
  'tokenHash',
]);

/** How records of one kind stand in the table: scalars as they are, the fields named here as JSON text. */
export interface RecordForm<T> {
  /** Attributes of a record or of some of its fields; `null` stays, it takes a field away. */
  write(fields: Partial<{ [K in keyof T]: T[K] | null }>): Item;
  read(item: Item): T;
}

function formOf<T extends object>(...jsonFields: readonly (keyof T & string)[]): RecordForm<T> {
  const asJson: ReadonlySet<string> = new Set(jsonFields);
  return {
    write: (fields) =>
      Object.fromEntries(
        Object.entries(withShortCause(fields as { cause?: unknown })).map(([field, value]) => [
          field,
          asJson.has(field) && value !== undefined && value !== null ? JSON.stringify(value) : value,
        ]),
      ),
    read: (item) =>
      Object.fromEntries(
        Object.entries(item)
          .filter(([field]) => !ours.has(field))
          .map(([field, value]) => [
            field,
            asJson.has(field) ? (JSON.parse(String(value)) as unknown) : value,
          ]),
      ) as T,
  };
}

/** Runs: the objects are what came from the tenant or from the registry of images. */
export const runForm = formOf<Run>('resources', 'jobOptions', 'images');

/** Attempts, without their token: a job's result may hold anything. */
export const attemptForm = formOf<Omit<Attempt, 'taskToken'>>('result');

/** Tenants. */
export const tenantForm = formOf<Tenant>('capacity', 'resources', 'limits', 'datasets', 'promotion');

/** Registered models. */
export const modelForm = formOf<ModelVersion>('checksums');

/** Live pairs. */
export const liveForm = formOf<LiveModel>();

/** Quality verdicts. */
export const verdictForm = formOf<QualityVerdict>('reasons');

/** Leases. */
export const leaseForm = formOf<Lease>();
