import { closeSync, fsyncSync, openSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inParallel } from '../../lib/concurrency/in-parallel.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';

/** Makes what a folder lists as durable as its files are. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** A full disk and a folder without rights as errors with a code; other errors as they are. */
export function explainFile(error: unknown, place: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new EpsilonError(
      'DISK_FULL',
      `The disk of ${place} is full; nothing that was there was changed.`,
      {
        exitCode: exitCodes.backend,
        cause: error,
      },
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR')
    return new EpsilonError('BACKUP_DIR_UNWRITABLE', `${place} cannot be written (${code}).`, {
      cause: error,
    });
  return error;
}

/** Writes a file whole, through a name beside it: it is there with all its bytes, or not at all. */
export async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  { temporary = `${path}.part`, sync = false }: { readonly temporary?: string; readonly sync?: boolean } = {},
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    {
      await using file = await open(temporary, 'w', 0o600);
      for await (const part of content) await file.writeFile(part);
      if (sync) await file.sync();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainFile(error, path);
  }
}

/** Writes a file whole, and has its bytes on the disk before it is there under its name. */
export function writeDurably(
  path: string,
  content: AsyncIterable<Uint8Array>,
  temporary?: string,
): Promise<void> {
  return writeWhole(path, content, { sync: true, ...(temporary === undefined ? {} : { temporary }) });
}

/** Files that are brought to the disk side by side. */
const syncsAtOnce = 8;

/** Brings everything below a folder to the disk, the folders after what is in them. */
export async function syncTree(root: string): Promise<void> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  await inParallel(paths, syncsAtOnce, async (path) => {
    await using file = await open(path);
    await file.sync();
  });
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const folder of [...folders.reverse(), root]) syncFolder(folder);
}
