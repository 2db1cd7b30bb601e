import { pathToFileURL } from 'node:url';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import { pathOfFileUri } from '../../objects/file-uri.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { DatasetContract } from '../../quality/datasets/contract.ts';
import type { Window } from '../../quality/datasets/memory.ts';
import {
  type DatasetFile,
  type DatasetListing,
  listedAfter,
  listingOf,
} from '../../quality/datasets/plan.ts';
import { filesBelow } from './files-below.ts';

async function localFiles(location: string): Promise<DatasetFile[]> {
  try {
    const { files } = await filesBelow(pathOfFileUri(location), 'all');
    return files.map(({ path, name, size, modifiedAt }) => ({
      uri: pathToFileURL(path).href,
      path: name,
      size,
      modifiedAt: Math.round(modifiedAt),
    }));
  } catch (error) {
    // Nothing is there: that is a finding and no fault of the check.
    if (error instanceof EpsilonError && error.code === 'DATASET_NOT_FOUND') return [];
    throw error;
  }
}

/**
 * What is there of a dataset, as far back as checks look; `now` in milliseconds. A dataset that is not there is an empty one. Errors: those of
 * the object store.
 */
export async function listDataset(
  objects: Pick<ObjectStore, 'list'>,
  contract: DatasetContract,
  wanted: { readonly backfill: Window | undefined; readonly now: number },
): Promise<DatasetListing> {
  const { location } = contract;
  if (location.startsWith('file:')) return listingOf(contract, await localFiles(location));
  const after = listedAfter(contract, wanted);
  const files: DatasetFile[] = [];
  for await (const { uri, size, modifiedAt } of objects.list(location, after === undefined ? {} : { after }))
    files.push({ uri, path: uri.slice(location.length), size, modifiedAt });
  return listingOf(contract, files);
}
