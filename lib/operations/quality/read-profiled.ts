import { inParallel } from '../../concurrency/in-parallel.ts';
import type { Ports } from '../../ports/ports.ts';
import {
  type ProfiledDataset,
  type ProfiledDocuments,
  profiledSchema,
  profilesFile,
  sharedOwner,
} from '../../quality/datasets/jobs.ts';

/** Results that are read side by side. */
const atOnce = 8;

/** Whose job it is that writes there, by `profilePrefix`. */
const ownerOf = (output: string) => /^s3:\/\/[^/]+\/([^/]+)\/runs\//.exec(output)?.[1];

/** What jobs found, by tenant. */
export interface FoundByJobs {
  readonly datasets: ReadonlyMap<string, ProfiledDataset>;
  readonly documents: ReadonlyMap<string, ProfiledDocuments>;
}

/**
 * What jobs found, by tenant. What a job leaves is checked as anything from outside; one that cannot be read counts as a job that looked at
 * nothing.
 */
export async function readProfiled(
  { objects, log }: Pick<Ports, 'objects' | 'log'>,
  outputs: readonly string[],
): Promise<FoundByJobs> {
  const datasets = new Map<string, ProfiledDataset>();
  const documents = new Map<string, ProfiledDocuments>();
  await inParallel(outputs, atOnce, async (output) => {
    const uri = `${output}${profilesFile}`;
    try {
      const text = new TextDecoder().decode(await objects.get(uri));
      const owner = ownerOf(output);
      // What a job left that acts for one tenant says nothing of others.
      const counts = ({ tenantId }: { readonly tenantId: string }) =>
        owner === sharedOwner || owner === tenantId;
      const found = profiledSchema.parse(JSON.parse(text));
      for (const each of found.datasets) if (counts(each)) datasets.set(each.tenantId, each);
      for (const each of found.documents) if (counts(each)) documents.set(each.tenantId, each);
    } catch (error) {
      log.warn('what a job found is not readable', { uri, error: String(error) });
    }
  });
  return { datasets, documents };
}
