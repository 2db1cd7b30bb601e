import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/**
 * Writes a page that a reader opens, whole or not at all: an older page of that name stays until the new one is complete. The path
 * that was written. `FILE_UNWRITABLE`.
 */
export function writePage(file: string, html: string): string {
  const path = resolve(file);
  const beside = `${path}.${process.pid}.part`;
  try {
    writeFileSync(beside, html);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new EpsilonError('FILE_UNWRITABLE', `${path} could not be written: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  return path;
}
