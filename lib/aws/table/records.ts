import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AuditRecord } from '../../audit/record.ts';
import type { Lease } from '../../ports/lease-store.ts';
import type { DatasetMemory, PartitionEntry } from '../../quality/datasets/memory.ts';
import type {
  GateOverride,
  QualityHistoryEntry,
  QualityMemory,
  QualityVerdict,
} from '../../quality/verdict.ts';
import type { Release } from '../../release/release.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { ImageRecord } from '../../training/images.ts';
import type { LiveModel, ModelVersion } from '../../training/models/model.ts';
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
]);

/** How a field that is an object stands in the table: as JSON text, or, where it is long and written often, as packed JSON. */
type Form = true | 'packed';

/** What is packed costs a third: writes are paid by the KB. */
const pack = (value: unknown): Uint8Array => deflateRawSync(JSON.stringify(value));

/** A field as it was; text is what was written before it was packed. */
function unpack(stored: unknown): unknown {
  const text = stored instanceof Uint8Array ? inflateRawSync(stored).toString('utf8') : String(stored);
  return JSON.parse(text);
}

/** How records of one kind stand in the table: scalars as they are, the fields named here as JSON. */
export interface RecordForm<T> {
  /** Attributes of a record or of some of its fields; `null` stays, it takes a field away. */
  write(fields: Partial<{ [K in keyof T]: T[K] | null }>): Item;
  read(item: Item): T;
}

/** Fields of a record that are objects or lists. */
type ObjectFields<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends string | number | boolean ? never : K;
}[keyof T];

/** Every object field has to be named: the compiler finds one that was added to a record and forgotten here. */
function formOf<T extends object>(jsonFields: Readonly<Record<ObjectFields<T>, Form>>): RecordForm<T> {
  const forms = new Map<string, Form>(Object.entries(jsonFields) as [string, Form][]);
  const stored = (field: string, value: unknown) => {
    const form = forms.get(field);
    if (form === undefined || value === undefined || value === null) return value;
    return form === 'packed' ? pack(value) : JSON.stringify(value);
  };
  return {
    write: (fields) =>
      Object.fromEntries(
        Object.entries(withShortCause(fields as { cause?: unknown })).map(([field, value]) => [
          field,
          stored(field, value),
        ]),
      ),
    read: (item) =>
      Object.fromEntries(
        Object.entries(item)
          .filter(([field]) => !ours.has(field))
          .map(([field, value]) => [field, forms.has(field) ? unpack(value) : value]),
      ) as T,
  };
}

/** Runs: the objects are what came from the tenant or from the registry of images. */
export const runForm = formOf<Run>({
  resources: true,
  jobOptions: true,
  images: true,
  stageSeconds: true,
});

/** Attempts, without their token: a job's result may hold anything. */
export const attemptForm = formOf<Omit<Attempt, 'taskToken'>>({
  result: true,
  resources: true,
  profiles: true,
  place: true,
});

/** Tenants. */
export const tenantForm = formOf<Tenant>({
  capacity: true,
  resources: true,
  limits: true,
  reading: true,
  training: true,
  quality: true,
  datasets: true,
  dataset: true,
  promotion: true,
});

/** Registered models. */
export const modelForm = formOf<ModelVersion>({ checksums: true, probes: true });

/** Live pairs. */
export const liveForm = formOf<LiveModel>({});

/** Quality verdicts. */
export const verdictForm = formOf<QualityVerdict>({ findings: true });

/** What quality checks learnt. */
export const memoryForm = formOf<QualityMemory>({
  profile: true,
  baseline: 'packed',
  excluded: true,
});

/** Judgements of the past. */
export const historyForm = formOf<QualityHistoryEntry>({
  findings: true,
  profile: true,
  expected: true,
});

/** What quality checks learnt of datasets. */
export const datasetForm = formOf<DatasetMemory>({
  partitions: 'packed',
  baseline: 'packed',
  excluded: true,
  backfill: true,
});

/** Judgements of partitions. */
export const partitionForm = formOf<PartitionEntry>({
  findings: true,
  profile: 'packed',
  expected: true,
});

/** Operators' decisions on a gate. */
export const overrideForm = formOf<GateOverride>({});

/** Records of the audit log: what was asked for may hold anything. */
export const auditForm = formOf<AuditRecord>({ request: true });

/** Records of images: a backend's reason may hold anything. */
export const imageForm = formOf<ImageRecord>({ failures: true });

/** Releases: what acts said may hold anything. */
export const releaseForm = formOf<Release>({
  images: true,
  replaces: true,
  rollbackAsked: true,
  acts: true,
});

/** Leases. */
export const leaseForm = formOf<Lease>({});
