import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Backend } from '../../tenants/tenant.ts';
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

/** What a job that looks at datasets is told: an object of its own, because it may be long. */
export const profileOrderSchema = z.strictObject({
  /** Bytes of one partition that are read at most. */
  maxBytes: z.int().positive(),
  datasets: z.array(wantedDataset).min(1),
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

/** What a job leaves in `profiles.json`. */
export const profiledSchema = z.strictObject({ datasets: z.array(profiledDataset) });

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

/** A tenant's dataset that is to be looked at. */
export interface DueDataset {
  readonly backend: Backend;
  readonly dataset: WantedDataset;
}

/** Bytes of a dataset from which it gets a job of its own. */
const large = 268_435_456;

/** What one job may look at. */
const most = { tenants: 50, bytes: 4 * large };

const bytesOf = ({ partitions }: WantedDataset) =>
  partitions.reduce((sum, { files }) => sum + files.reduce((all, { size }) => all + size, 0), 0);

/** Jobs of one shard: what a state hands on is limited. The others are left to the next check. */
const mostJobs = 60;

interface Pack {
  readonly backend: Backend;
  readonly datasets: WantedDataset[];
  bytes: number;
}

/** Small datasets of one backend share a job; in Kubernetes, whose pods act for one tenant, none do. */
function packsOf(due: readonly DueDataset[]): Pack[] {
  const packs: Pack[] = [];
  const open = new Map<Backend, Pack>();
  for (const { backend, dataset } of due) {
    const bytes = bytesOf(dataset);
    const room = open.get(backend);
    const alone = backend === 'eks' || bytes >= large;
    if (!alone && room && room.datasets.length < most.tenants && room.bytes + bytes <= most.bytes) {
      room.datasets.push(dataset);
      room.bytes += bytes;
      continue;
    }
    const pack = { backend, datasets: [dataset], bytes };
    packs.push(pack);
    if (!alone) open.set(backend, pack);
  }
  return packs;
}

/**
 * The jobs that look at what is due of a shard, with what each is told. Names follow from the check and the place among them, so that a state
 * that is tried again finds the same jobs.
 */
export function profileJobs(
  due: readonly DueDataset[],
  { check, maxBytes, image }: { readonly check: string; readonly maxBytes: number; readonly image: string },
): { readonly job: ProfileJob; readonly order: ProfileOrder }[] {
  return packsOf(due)
    .slice(0, mostJobs)
    .map(({ backend, datasets }, index) => {
      const tenants = datasets.map(({ tenantId }) => tenantId);
      const digest = createHash('sha256').update(`${check}/${index}`).digest('hex').slice(0, 20);
      const owner = backend === 'eks' ? (tenants[0] ?? sharedOwner) : sharedOwner;
      return {
        job: { runId: `${owner}-${digest}`, owner, backend, tenants, image },
        order: { maxBytes, datasets },
      };
    });
}

/** Prefix of everything that belongs to a job: what it is told, and the outputs of its attempts. */
export function profilePrefix(bucket: string, { owner, runId }: Pick<ProfileJob, 'owner' | 'runId'>): string {
  return `s3://${bucket}/${owner}/runs/${runId}/`;
}
