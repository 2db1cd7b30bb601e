import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import { type ProfiledDataset, profiledSchema, profilesFile } from '../../quality/datasets/jobs.ts';

/** Results that are read side by side. */
const atOnce = 8;

/**
 * What jobs found, by tenant. What a job leaves is checked as anything from outside; one that cannot be read counts as a job that looked at
 * nothing.
 */
export async function readProfiled(
  { objects, log }: Pick<Ports, 'objects' | 'log'>,
  outputs: readonly string[],
): Promise<ReadonlyMap<string, ProfiledDataset>> {
  const found = new Map<string, ProfiledDataset>();
  await inParallel(outputs, atOnce, async (output) => {
    const uri = `${output}${profilesFile}`;
    try {
      const text = new TextDecoder().decode(await objects.get(uri));
      for (const dataset of profiledSchema.parse(JSON.parse(text)).datasets)
        found.set(dataset.tenantId, dataset);
    } catch (error) {
      log.warn('what a job found of datasets is not readable', { uri, error: String(error) });
    }
  });
  return found;
}
