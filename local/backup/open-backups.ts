import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../lib/backup/manifest.ts';
import { choosePoints, newest, type Point, type Wanted } from '../../lib/backup/points.ts';
import { backupSettings } from '../../lib/backup/settings.ts';
import { requireVerified, type Verification } from '../../lib/backup/verification.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import {
  type Prepared,
  preparePoint,
  promotePoint,
  verifyPoint,
} from '../../lib/operations/backup/restore-point.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { IdSource } from '../../lib/ports/id-source.ts';
import { processActor } from '../control/owner.ts';
import { loadLocalService } from '../declaration/local-service.ts';
import { FileBackupRepository } from './file-repository.ts';
import { repositoryFolder } from './repository-folder.ts';
import { StateTarget } from './state-target.ts';

/** Where backups are looked for, and with what. */
export interface OpenBackups {
  readonly projectDir: string;
  readonly stateDir: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Folder of the repository, instead of that of the settings. */
  readonly folder?: string | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** The repository of a state directory, which need not be there any more. `BACKUP_DIR_ABSENT`. */
export async function repositoryOf(options: OpenBackups): Promise<FileBackupRepository> {
  const settings = backupSettings(loadLocalService(options.projectDir, options.variables).backup);
  const folder = repositoryFolder(options.stateDir, settings, options.folder);
  const repository = new FileBackupRepository(folder);
  if (await repository.tenure()) return repository;
  throw new EpsilonError(
    'BACKUP_DIR_ABSENT',
    `There are no backups in ${folder} yet: make one first (epsilon backup run), or name the folder with --backups.`,
  );
}

/** All points of a repository, oldest first. */
export async function listPoints(
  options: OpenBackups,
): Promise<{ readonly folder: string; readonly points: Point[] }> {
  const repository = await repositoryOf(options);
  return { folder: repository.place, points: await repository.points() };
}

/** Reads a point to its last byte where it is kept. `RESTORE_UNVERIFIED`, `BACKUP_CORRUPT`, and those of choosing a point. */
export async function checkPoint(
  options: OpenBackups,
  id: string | undefined,
): Promise<{ readonly manifest: Manifest; readonly verification: Verification }> {
  const repository = await repositoryOf(options);
  const wanted: Wanted = id === undefined ? { to: newest } : { id };
  const [manifest] = choosePoints(await repository.points(), wanted, options.clock.now());
  if (!manifest) throw new EpsilonError('BACKUP_NOT_FOUND', 'There is no point to verify.');
  const scratch = mkdtempSync(join(tmpdir(), 'epsilon-verify-'));
  const target = new StateTarget(join(scratch, 'state'), options);
  try {
    const verification = await verifyPoint({ repository, target }, manifest);
    requireVerified(manifest.id, verification);
    // Whoever may only read the folder has verified it as well.
    await repository.noteVerified(manifest.id).catch(() => {});
    return { manifest, verification };
  } finally {
    await target.close({ keep: false });
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A restore that is asked for. */
export interface RestoreRequest {
  readonly wanted: Wanted;
  /** The new state directory. */
  readonly into: string;
  /** Digest of what is approved; without it nothing is promoted. */
  readonly approve?: string | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Restores a point, verifies it and, if that is approved, makes it the state that goes on. */
export async function restorePoint(
  options: OpenBackups,
  { wanted, into, approve, onProgress }: RestoreRequest,
): Promise<{ readonly prepared: Prepared; readonly place: string; readonly promoted: boolean }> {
  const repository = await repositoryOf(options);
  const target = new StateTarget(into, options);
  const parts = { repository, target, clock: options.clock, ...(onProgress ? { onProgress } : {}) };
  try {
    const prepared = await preparePoint(parts, wanted, processActor().id);
    if (approve !== undefined) await promotePoint(parts, prepared, approve);
    return { prepared, place: target.place, promoted: approve !== undefined };
  } finally {
    await target.close({ keep: false });
  }
}
