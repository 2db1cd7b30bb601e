import { createReadStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { BackupSource, Cut, CutObject } from '../../lib/ports/backup/source.ts';
import { type Clock, isoNow } from '../../lib/ports/clock.ts';
import { filesBelow, freeBytes } from '../state/usage.ts';
import { lineageOf } from '../stores/lineage.ts';
import type { StateDirectory } from '../stores/state-directory.ts';
import {
  copyDatabases,
  cutDatabase,
  databaseNames,
  pointersIn,
  withDatabase,
  withoutSecrets,
} from './cut-databases.ts';

async function* contentOf(path: string, key: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 262_144 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new NotFound('OBJECT_NOT_FOUND', `There is no object s3://${key}.`);
  }
}

async function* objectsOf(root: string): AsyncGenerator<CutObject> {
  for (const path of filesBelow(root)) {
    // What is being written is no object yet.
    if (basename(path).startsWith('.tmp-')) continue;
    const key = relative(root, path).split(sep).join('/');
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (!found) continue;
    const stamp = `${found.mtimeNs}-${found.ctimeNs}-${found.ino}`;
    yield {
      key,
      bytes: Number(found.size),
      stamp,
      content: () => contentOf(path, key),
    };
  }
}

/** Bytes that a backup leaves free on the disk of the state: the control plane itself needs room to go on. */
const reserveBytes = 64 * 1_048_576;

/** Refuses to copy databases where that would leave the control plane without room; `DISK_FULL`. */
function requireRoom({ path, databases }: Pick<StateDirectory, 'path' | 'databases'>): void {
  const needed = databaseNames
    .flatMap((name) => [name, `${name}-wal`])
    .reduce(
      (sum, name) => sum + (statSync(join(databases, name), { throwIfNoEntry: false })?.size ?? 0),
      reserveBytes,
    );
  const free = freeBytes(path);
  if (free >= needed) return;
  throw new EpsilonError(
    'DISK_FULL',
    `A backup needs ${needed} bytes on the disk of ${path} meanwhile, and ${free} are free; none was made.`,
    { exitCode: exitCodes.backend, details: { needed, free } },
  );
}

/**
 * The state directory that this process writes, as what is backed up: its databases and its objects. Not backed up are the token of
 * the control API, the key of task tokens, the socket, the folders of jobs, and logs.
 */
export function stateBackupSource(
  state: Pick<StateDirectory, 'path' | 'databases' | 'objects'>,
  clock: Clock,
): BackupSource {
  return {
    place: state.path,
    withCut: async (work) => {
      // One process writes the state directory, and it makes one backup at a time.
      const folder = join(state.path, 'backup.tmp');
      rmSync(folder, { recursive: true, force: true });
      requireRoom(state);
      mkdirSync(folder, { mode: 0o700 });
      try {
        const takenAt = isoNow(clock);
        await copyDatabases(state.databases, folder);
        withoutSecrets(folder);
        const records = withDatabase(folder, 'store.db', (db) => ({
          ...lineageOf(db),
          pointers: pointersIn(db),
        }));
        const cut: Cut = {
          ...records,
          takenAt,
          databases: databaseNames.map((name) => cutDatabase(folder, name)),
          objects: () => objectsOf(state.objects),
        };
        return await work(cut);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
