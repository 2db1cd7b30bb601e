import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import type { CheckShard } from '../../quality/check-input.ts';
import {
  type DueDataset,
  orderFile,
  type ProfileJob,
  profileJobs,
  profilePrefix,
} from '../../quality/datasets/jobs.ts';
import { jobKinds } from '../../training/stages.ts';

type Needed = Pick<Ports, 'objects' | 'images' | 'config'>;

/** Orders that are written side by side. */
const atOnce = 8;

/** Makes the jobs that look at what is due of a shard and writes what each is told; they are submitted by the machine. */
export async function orderProfiles(
  ports: Needed,
  { prefix, shard }: CheckShard,
  due: readonly DueDataset[],
): Promise<readonly ProfileJob[]> {
  if (due.length === 0) return [];
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
  return jobs.map(({ job }) => job);
}
