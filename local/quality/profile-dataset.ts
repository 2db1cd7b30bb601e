import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { pathOfFileUri } from '../../lib/objects/file-uri.ts';
import type { DatasetContract } from '../../lib/quality/datasets/contract.ts';
import { kindOfFile, partitionOf } from '../../lib/quality/datasets/partitions.ts';
import { type DatasetProfile, datasetProfileSchema } from '../../lib/quality/datasets/profile.ts';

const worker = fileURLToPath(new URL('./profile-worker.ts', import.meta.url));

/** Milliseconds after which a profile is given up. */
const longest = 30 * 60_000;

interface DataFile {
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
}

/** What the worker writes. */
const answerSchema = datasetProfileSchema
  .pick({ rows: true, broken: true, fields: true, newestEvent: true, duplicates: true, unreadable: true })
  .extend({ rowsByFile: z.record(z.string(), z.int().min(0)) });

type Answer = z.output<typeof answerSchema>;

async function filesBelow(folder: string) {
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
    else if (kind === 'data') files.push({ path, size: found.size, modifiedAt: found.mtimeMs });
  }
  return { files, unfinished };
}

/** Files up to `maxBytes`, always the same of the same ones: in the order of a hash of their names. At least one. */
function sampleOf(folder: string, files: readonly DataFile[], maxBytes: number): DataFile[] {
  const key = ({ path }: DataFile) => createHash('sha256').update(relative(folder, path)).digest('hex');
  const ordered = files.map((file) => ({ file, key: key(file) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  let bytes = 0;
  return ordered
    .map(({ file }) => file)
    .filter(({ size }, index) => {
      bytes += size;
      return index === 0 || bytes <= maxBytes;
    });
}

async function askWorker(asked: Readonly<Record<string, unknown>>): Promise<Answer> {
  const child = spawn(process.execPath, ['--max-old-space-size=128', worker], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {},
    timeout: longest,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(asked));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code === 0) return answerSchema.parse(JSON.parse(out));
  const said = /^\S*Error: .*|^\[Error: .*/m.exec(err)?.[0] ?? `it ended with ${code}`;
  throw new EpsilonError('DATASET_NOT_PROFILED', `The dataset could not be read: ${said.slice(0, 500)}.`, {
    exitCode: exitCodes.backend,
  });
}

function partitionsOf(
  folder: string,
  { files, contract, answer }: { files: readonly DataFile[]; contract: DatasetContract; answer: Answer },
): Record<string, number> {
  const partitions: Record<string, number> = {};
  for (const { path } of files) {
    const partition = partitionOf(relative(folder, path).split(sep).join('/'), contract);
    if (partition === undefined) continue;
    partitions[partition] = (partitions[partition] ?? 0) + (answer.rowsByFile[path] ?? 0);
  }
  return partitions;
}

/**
 * Looks at a dataset of this host by its contract, in a process of its own that holds at most 350 MB of data. Larger data is read up to
 * `maxBytes`, by whole files, and marked `sampled`. `DATASET_NOT_FOUND`, `DATASET_NOT_PROFILED`, `DOCUMENTS_URI_INVALID`.
 */
export async function profileDataset(
  contract: DatasetContract,
  { maxBytes }: { readonly maxBytes: number },
): Promise<DatasetProfile> {
  const folder = await realpath(pathOfFileUri(contract.location)).catch(() =>
    pathOfFileUri(contract.location),
  );
  const { files, unfinished } = await filesBelow(folder);
  const read = sampleOf(folder, files, maxBytes);
  const temporary = mkdtempSync(join(tmpdir(), 'epsilon-dataset-'));
  try {
    const asked = {
      contract,
      files: read.map(({ path }) => path),
      folders: [`${folder}/`, `${temporary}/`],
      temporary,
    };
    const answer = await askWorker(asked);
    const { rowsByFile: _, unreadable, ...rest } = answer;
    const newest = Math.max(...files.map(({ modifiedAt }) => modifiedAt));
    return datasetProfileSchema.parse({
      ...rest,
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      newestArrival: files.length === 0 ? null : new Date(newest).toISOString(),
      unreadable: unreadable.map(({ file, why }) => ({ file: relative(folder, file), why })),
      unfinished,
      partitions: partitionsOf(folder, { files, contract, answer }),
      sampled: read.length < files.length,
    });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
