import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { BackupSettings } from '../../lib/backup/settings.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';

/** The path without symbolic links, of which the end may not be there yet. */
function real(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(real(parent), basename(path));
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

/**
 * Folder in which the backups of a state directory are: the one that was named, that of the settings (relative to the folder that
 * the state directory is in), or `<state directory>-backups`. `BACKUP_DIR_INSIDE` when one would be lost with the other.
 */
export function repositoryFolder(
  stateDir: string,
  { directory }: Pick<BackupSettings, 'directory'>,
  named?: string,
): string {
  const state = resolve(stateDir);
  const folder =
    named !== undefined
      ? resolve(named)
      : directory === ''
        ? `${state}-backups`
        : resolve(dirname(state), directory);
  if (!isWithin(real(folder), real(state)) && !isWithin(real(state), real(folder))) return folder;
  throw new EpsilonError(
    'BACKUP_DIR_INSIDE',
    `Backups in ${folder} would be lost together with the state in ${state}; choose a folder outside it (backup.directory, --backups).`,
  );
}
