import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import type { CheckShard } from '../../quality/check-input.ts';
import {
  type Due,
  orderFile,
  type ProfileJob,
  profileJobs,
  profilePrefix,
} from '../../quality/datasets/jobs.ts';
import { jobKinds } from '../../training/stages.ts';

type Needed = Pick<Ports, 'objects' | 'images' | 'config'>;

/** Orders that are written side by side. */
const atOnce = 8;

/** Jobs that the machine submits, and the tenants whose datasets they look at. */
export interface OrderedProfiles {
  readonly jobs: readonly ProfileJob[];
  readonly datasetsOf: ReadonlySet<string>;
}

/** Makes the jobs that look at what is due of a shard and writes what each is told; they are submitted by the machine. */
export async function orderProfiles(
  ports: Needed,
  { prefix, shard }: CheckShard,
  due: readonly Due[],
): Promise<OrderedProfiles> {
  if (due.length === 0) return { jobs: [], datasetsOf: new Set() };
  const { objects, images, config } = ports;
  const { image: name } = jobKinds.profile;
  const image = (await images.resolve([name]))[name];
  const { maxBytes } = config.quality;
  const jobs = profileJobs(due, { check: `${prefix}${shard}`, maxBytes, image });
  await inParallel(jobs, atOnce, ({ job, order }) =>
    objects.put(`${profilePrefix(config.dataBucket, job)}${orderFile}`, JSON.stringify(order), {
      contentType: 'application/json',
    }),
  );
  return {
    jobs: jobs.map(({ job }) => job),
    datasetsOf: new Set(jobs.flatMap(({ order }) => order.datasets.map(({ tenantId }) => tenantId))),
  };
}
