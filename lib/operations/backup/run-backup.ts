import {
  type ListedObject,
  listText,
  type Manifest,
  type Piece,
  parseList,
  pieceBytes,
} from '../../backup/manifest.ts';
import { keyFinder } from '../../backup/pointers.ts';
import { requiredTables } from '../../backup/verification.ts';
import { untilFault } from '../../concurrency/until-fault.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { NotFound } from '../../errors/store-errors.ts';
import type { BackupRepository } from '../../ports/backup/repository.ts';
import type { BackupSource, Cut, CutDatabase, CutObject } from '../../ports/backup/source.ts';
import { type Clock, isoNow } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import { inPieces } from './content.ts';

/** What a backup is made with. */
export interface BackupParts {
  readonly source: BackupSource;
  readonly repository: BackupRepository;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Objects that are copied side by side. */
const copiesAtOnce = 4;

function requireWhole({ name, bytes, tables }: CutDatabase): void {
  const missing = requiredTables[name].filter((table) => tables[table] === undefined);
  if (bytes > 0 && missing.length === 0) return;
  const what = bytes === 0 ? 'is empty' : `lacks ${missing.join(', ')}`;
  throw new EpsilonError('BACKUP_INCOMPLETE', `The copy of ${name} ${what}; no point was made.`, {
    exitCode: exitCodes.backend,
  });
}

async function keepDatabase(repository: BackupRepository, database: CutDatabase) {
  requireWhole(database);
  const { name, schema, tables } = database;
  const pieces: Piece[] = [];
  const whole = inPieces(database.content(), pieceBytes);
  for await (const bytes of whole.pieces) pieces.push(await repository.keep(bytes));
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  return { name, bytes, sha256: whole.sha256(), schema, tables: { ...tables }, pieces };
}

/** Objects of the newest point, by key: what has not changed since is not copied again. */
async function earlierObjects(repository: BackupRepository): Promise<Map<string, ListedObject>> {
  const newest = await repository.newest();
  if (!newest) return new Map();
  try {
    const objects = parseList(await textOf(repository, newest.objects.list), newest.id);
    return new Map(objects.map((object) => [object.key, object]));
  } catch {
    // A damaged list saves nothing; every object is read.
    return new Map();
  }
}

/** A piece as text; `BACKUP_CORRUPT`. */
export async function textOf(repository: Pick<BackupRepository, 'read'>, piece: Piece): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of repository.read(piece)) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

async function keepObject(
  repository: BackupRepository,
  object: CutObject,
  earlier: ListedObject | undefined,
): Promise<ListedObject> {
  const { key, stamp } = object;
  const unchanged =
    earlier?.stamp === stamp && earlier.bytes === object.bytes && (await repository.has(earlier));
  if (unchanged) return earlier;
  return { key, stamp, ...(await repository.keep(object.content())) };
}

async function keepObjects(repository: BackupRepository, cut: Cut): Promise<ListedObject[]> {
  const earlier = await earlierObjects(repository);
  const found = await Array.fromAsync(cut.objects());
  const kept: ListedObject[] = [];
  await untilFault(found, copiesAtOnce, async (object) => {
    try {
      kept.push(await keepObject(repository, object, earlier.get(object.key)));
    } catch (error) {
      // Deleted since it was listed: the point does not have it.
      if (!(error instanceof NotFound)) throw error;
    }
  });
  return kept.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function makePoint({ source, repository, clock, ids }: BackupParts, cut: Cut): Promise<Manifest> {
  const { lineage, epoch, takenAt, pointers } = cut;
  const databases = [];
  for (const database of cut.databases) databases.push(await keepDatabase(repository, database));
  const objects = await keepObjects(repository, cut);
  const list = await repository.keep(new TextEncoder().encode(listText(objects)));
  const isThere = keyFinder(objects.map(({ key }) => key));
  const manifest: Manifest = {
    schemaVersion: 1,
    id: ids.ulid(),
    lineage,
    epoch,
    takenAt,
    finishedAt: isoNow(clock),
    source: source.place,
    sameDisk: repository.isOnDiskOf(source.place),
    databases,
    objects: { count: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0), list },
    pointers: { count: pointers.length, dangling: pointers.filter((pointer) => !isThere(pointer)) },
  };
  await repository.commit(manifest);
  return manifest;
}

/**
 * Makes a point of one cut. Objects come after the databases and the manifest last: a backup that is killed leaves no point. What
 * an earlier point has unchanged is not copied again. Errors: those of the repository, `BACKUP_INCOMPLETE`.
 */
export async function runBackup(parts: BackupParts): Promise<Manifest> {
  const { source, repository } = parts;
  return source.withCut(async (cut) => {
    await repository.open(cut);
    try {
      return await makePoint(parts, cut);
    } catch (error) {
      await repository.abandon();
      throw error;
    }
  });
}
