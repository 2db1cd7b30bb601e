import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Backend } from '../../tenants/tenant.ts';
import { profileSchema } from '../profile.ts';
import { contractSchema } from './contract.ts';
import { datasetProfileSchema } from './profile.ts';

/** One partition that a job looks at. */
const wantedPartition = z.strictObject({
  name: z.string().min(1),
  digest: z.string().min(1),
  files: z
    .array(z.strictObject({ uri: z.string().min(1), path: z.string().min(1), size: z.int().min(0) }))
    .min(1),
});

/** What a job looks at of one tenant. */
const wantedDataset = z.strictObject({
  tenantId: z.string().min(1),
  contract: contractSchema,
  partitions: z.array(wantedPartition).min(1),
});

/** What a job looks at of one tenant. */
export type WantedDataset = z.output<typeof wantedDataset>;

/** Documents of one tenant that are too large for the function of a shard. */
const wantedDocuments = z.strictObject({
  tenantId: z.string().min(1),
  documentsUri: z.string().min(1),
  /** How rows are read, where the tenant's record says it. */
  reading: z.strictObject({ textColumn: z.string().optional(), idColumn: z.string().optional() }),
  /** What was listed, and when the check looked, ISO 8601: the job reads these objects and no later ones. */
  listing: profileSchema.pick({ digest: true, files: true, bytes: true, newestArrival: true }),
  at: z.iso.datetime(),
});

/** Documents of one tenant that are too large for the function of a shard. */
export type WantedDocuments = z.output<typeof wantedDocuments>;

/** What a job that looks at data is told: an object of its own, because it may be long. */
export const profileOrderSchema = z.strictObject({
  /** Bytes of one partition, and characters of one tenant's documents, that are read at most. */
  maxBytes: z.int().positive(),
  datasets: z.array(wantedDataset),
  documents: z.array(wantedDocuments).default([]),
});

/** What such a job is told. */
export type ProfileOrder = z.output<typeof profileOrderSchema>;

/** What was found in one tenant's partitions, or why they could not be looked at. */
const profiledDataset = z.strictObject({
  tenantId: z.string().min(1),
  partitions: z.array(
    z.strictObject({ name: z.string().min(1), digest: z.string().min(1), profile: datasetProfileSchema }),
  ),
  fault: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

/** What was found in one tenant's partitions. */
export type ProfiledDataset = z.output<typeof profiledDataset>;

/** What was found in one tenant's documents, or why they could not be looked at. */
const profiledDocuments = z.strictObject({
  tenantId: z.string().min(1),
  profile: profileSchema.optional(),
  fault: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

/** What was found in one tenant's documents. */
export type ProfiledDocuments = z.output<typeof profiledDocuments>;

/** What a job leaves in `profiles.json`. */
export const profiledSchema = z.strictObject({
  datasets: z.array(profiledDataset),
  documents: z.array(profiledDocuments).default([]),
});

/** What a job leaves in `profiles.json`. */
export type ProfiledData = z.output<typeof profiledSchema>;

/** What the process of one tenant is asked for. */
export type AskedOfTenant = { readonly maxBytes: number } & (
  | { readonly dataset: WantedDataset }
  | { readonly documents: WantedDocuments }
);

/** Name of that object, below the output of the job. */
export const profilesFile = 'profiles.json';

/** Name of the object that says what a job looks at, below its prefix. */
export const orderFile = 'order.json';

/** Name of the input that is the order. */
export const orderInput = 'order';

/** Owner of jobs that look at datasets of several tenants: the name is reserved, so that no tenant has it. */
export const sharedOwner = 'quality';

/** A job that is to be submitted. */
export const profileJobSchema = z.object({
  /** Stands in the place of a run's id. */
  runId: z.string().min(1),
  /** Tenant below whose prefix it writes, or `sharedOwner`. */
  owner: z.string().min(1),
  backend: z.enum(['eks', 'batch', 'local']),
  tenants: z.array(z.string().min(1)).min(1),
  /** By digest. */
  image: z.string().min(1),
});

/** A job that is to be submitted. */
export type ProfileJob = z.output<typeof profileJobSchema>;

/** What a job has to look at of one tenant: partitions of its dataset, or its documents. */
export type Due = { readonly backend: Backend } & (
  | { readonly dataset: WantedDataset }
  | { readonly documents: WantedDocuments }
);

/** Bytes from which something gets a job of its own. */
const large = 268_435_456;

/** What one job may look at. */
const most = { tenants: 50, bytes: 4 * large };

/** Bytes of documents that the function of a shard reads itself: of one tenant, and of all in one check. */
export const readByFunction = { tenant: 67_108_864, shard: 2_147_483_648 };

const bytesOf = (due: Due) =>
  'documents' in due
    ? due.documents.listing.bytes
    : due.dataset.partitions.reduce(
        (sum, { files }) => sum + files.reduce((all, { size }) => all + size, 0),
        0,
      );

const tenantOf = (due: Due) => ('documents' in due ? due.documents : due.dataset).tenantId;

/** Jobs of one shard: what a state hands on is limited. The others are left to the next check. */
const mostJobs = 60;

interface Pack {
  readonly backend: Backend;
  readonly due: Due[];
  bytes: number;
}

/** What is small, of one backend, shares a job; in Kubernetes, whose pods act for one tenant, nothing does. */
function packsOf(all: readonly Due[]): Pack[] {
  const packs: Pack[] = [];
  const open = new Map<Backend, Pack>();
  for (const due of all) {
    const { backend } = due;
    const bytes = bytesOf(due);
    const room = open.get(backend);
    const alone = backend === 'eks' || bytes >= large;
    if (!alone && room && room.due.length < most.tenants && room.bytes + bytes <= most.bytes) {
      room.due.push(due);
      room.bytes += bytes;
      continue;
    }
    const pack = { backend, due: [due], bytes };
    packs.push(pack);
    if (!alone) open.set(backend, pack);
  }
  return packs;
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * The jobs that look at what is due of a shard, with what each is told. Names follow from the check and the place among them, so that a state
 * that is tried again finds the same jobs. What comes first is another tenant's in every check, so that nobody is always left over.
 */
export function profileJobs(
  due: readonly Due[],
  { check, maxBytes, image }: { readonly check: string; readonly maxBytes: number; readonly image: string },
): { readonly job: ProfileJob; readonly order: ProfileOrder }[] {
  const inTurn = due
    .map((each) => ({ each, turn: digestOf(`${check}/${tenantOf(each)}`) }))
    .sort((a, b) => (a.turn < b.turn ? -1 : a.turn > b.turn ? 1 : 0))
    .map(({ each }) => each);
  return packsOf(inTurn)
    .slice(0, mostJobs)
    .map(({ backend, due: own }, index) => {
      const tenants = [...new Set(own.map(tenantOf))];
      const owner = backend === 'eks' ? (tenants[0] ?? sharedOwner) : sharedOwner;
      return {
        job: {
          runId: `${owner}-${digestOf(`${check}/${index}`).slice(0, 20)}`,
          owner,
          backend,
          tenants,
          image,
        },
        order: {
          maxBytes,
          datasets: own.flatMap((each) => ('dataset' in each ? [each.dataset] : [])),
          documents: own.flatMap((each) => ('documents' in each ? [each.documents] : [])),
        },
      };
    });
}

/** Prefix of everything that belongs to a job: what it is told, and the outputs of its attempts. */
export function profilePrefix(bucket: string, { owner, runId }: Pick<ProfileJob, 'owner' | 'runId'>): string {
  return `s3://${bucket}/${owner}/runs/${runId}/`;
}
