import { lstat, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { EpsilonError } from '../../errors/epsilon-error.ts';
import { kindOfFile } from '../../quality/datasets/partitions.ts';

/** A file of this host that is a part of a dataset. */
export interface DataFile {
  readonly path: string;
  /** What it is called in the profile: its path below the dataset's location. */
  readonly name: string;
  readonly size: number;
  /** Milliseconds. */
  readonly modifiedAt: number;
}

/** Files below a folder; `all` of them, or those that hold data. `DATASET_NOT_FOUND`. */
export async function filesBelow(folder: string, kinds: 'all' | 'data') {
  let names: string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch (error) {
    throw new EpsilonError(
      'DATASET_NOT_FOUND',
      `There is no dataset at ${folder}: ${(error as Error).message}.`,
      {
        cause: error,
      },
    );
  }
  const files: DataFile[] = [];
  let unfinished = 0;
  for (const name of names.sort()) {
    const path = join(folder, name);
    // Links are not followed: they may lead anywhere.
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    const kind = kindOfFile(name.split(sep).join('/'));
    if (kind === 'unfinished') unfinished += 1;
    if (kind === 'data' || kinds === 'all')
      files.push({ path, name: name.split(sep).join('/'), size: found.size, modifiedAt: found.mtimeMs });
  }
  return { files, unfinished };
}
