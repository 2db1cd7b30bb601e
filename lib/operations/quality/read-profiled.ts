import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import {
  type ProfiledDataset,
  profiledSchema,
  profilesFile,
  sharedOwner,
} from '../../quality/datasets/jobs.ts';

/** Results that are read side by side. */
const atOnce = 8;

/** Whose job it is that writes there, by `profilePrefix`. */
const ownerOf = (output: string) => /^s3:\/\/[^/]+\/([^/]+)\/runs\//.exec(output)?.[1];

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
      const owner = ownerOf(output);
      // What a job left that acts for one tenant says nothing of others.
      for (const dataset of profiledSchema.parse(JSON.parse(text)).datasets)
        if (owner === sharedOwner || owner === dataset.tenantId) found.set(dataset.tenantId, dataset);
    } catch (error) {
      log.warn('what a job found of datasets is not readable', { uri, error: String(error) });
    }
  });
  return found;
}
