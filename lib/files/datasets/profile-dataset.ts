import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { pathOfFileUri } from '../../objects/file-uri.ts';
import type { DatasetContract } from '../../quality/datasets/contract.ts';
import { partitionOf } from '../../quality/datasets/partitions.ts';
import { type DatasetProfile, datasetProfileSchema } from '../../quality/datasets/profile.ts';
import { askWorker } from './ask-worker.ts';
import type { RowRange } from './cut-file.ts';
import { type DataFile, filesBelow } from './files-below.ts';

/** What the worker writes. */
const answerSchema = datasetProfileSchema
  .pick({
    rows: true,
    broken: true,
    fields: true,
    newestEvent: true,
    duplicates: true,
    unreadable: true,
    categories: true,
  })
  .extend({ rowsByFile: z.record(z.string(), z.int().min(0)) });

type Answer = z.output<typeof answerSchema>;

/** Files up to `maxBytes`, always the same of the same ones: in the order of a hash of their names. At least one. */
export function sampleOf<F extends Pick<DataFile, 'name' | 'size'>>(
  files: readonly F[],
  maxBytes: number,
): F[] {
  const key = ({ name }: F) => createHash('sha256').update(name).digest('hex');
  const ordered = files.map((file) => ({ file, key: key(file) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  let bytes = 0;
  return ordered
    .map(({ file }) => file)
    .filter(({ size }, index) => {
      bytes += size;
      return index === 0 || bytes <= maxBytes;
    });
}

function partitionsOf(
  files: readonly DataFile[],
  contract: DatasetContract,
  { rowsByFile }: Answer,
): Record<string, number> {
  const partitions: Record<string, number> = {};
  for (const { path, name } of files) {
    const partition = partitionOf(name, contract);
    if (partition === undefined) continue;
    partitions[partition] = (partitions[partition] ?? 0) + (rowsByFile[path] ?? 0);
  }
  return partitions;
}

/** Files that are looked at together. */
export interface DatasetFiles {
  /** Folder that holds them, and may be read. */
  readonly folder: string;
  readonly files: readonly DataFile[];
  /** Files that are still being written. */
  readonly unfinished: number;
}

/**
 * Looks at files of this host by a contract, in a process of its own that holds at most 350 MB of data. Larger data is read up to
 * `maxBytes`, by whole files, and marked `sampled`; of Parquet with `ranges` those rows. `DATASET_NOT_PROFILED`.
 */
export async function profileFiles(
  contract: DatasetContract,
  { folder, files, unfinished }: DatasetFiles,
  { maxBytes, ranges }: { readonly maxBytes: number; readonly ranges?: readonly RowRange[] | undefined },
): Promise<DatasetProfile> {
  const read = sampleOf(files, maxBytes);
  const names = new Map(files.map(({ path, name }) => [path, name]));
  const temporary = mkdtempSync(join(tmpdir(), 'epsilon-dataset-'));
  try {
    const asked = {
      contract,
      files: read.map(({ path }) => path),
      folders: [`${folder}/`, `${temporary}/`],
      temporary,
      ...(ranges === undefined ? {} : { ranges }),
    };
    const answer = answerSchema.parse(await askWorker(asked));
    const { rowsByFile: _, unreadable, ...rest } = answer;
    const newest = Math.max(...files.map(({ modifiedAt }) => modifiedAt));
    return datasetProfileSchema.parse({
      ...rest,
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      newestArrival: files.length === 0 ? null : new Date(newest).toISOString(),
      unreadable: unreadable.map(({ file, why }) => ({
        file: names.get(file) ?? '',
        why: why.replaceAll(file, names.get(file) ?? ''),
      })),
      unfinished,
      partitions: partitionsOf(files, contract, answer),
      sampled: read.length < files.length,
    });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Looks at a dataset of this host by its contract. `DATASET_NOT_FOUND`, `DOCUMENTS_URI_INVALID`, and those of `profileFiles`. */
export async function profileDataset(
  contract: DatasetContract,
  options: { readonly maxBytes: number },
): Promise<DatasetProfile> {
  const folder = await realpath(pathOfFileUri(contract.location)).catch(() =>
    pathOfFileUri(contract.location),
  );
  return profileFiles(contract, { folder, ...(await filesBelow(folder, 'data')) }, options);
}
