import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** Result codes of SQLite for a file that is there but whose helpers cannot be made beside it: READONLY, CANTOPEN. */
const withoutHelpers: ReadonlySet<number> = new Set([8, 14]);

/** Opens and looks into the file: SQLite opens nothing before the first statement. */
function opened(file: string | URL): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    db.prepare('PRAGMA schema_version').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** A copy of the database with what its last writer left beside it; removed again once it is open. */
function openedCopy(file: string): DatabaseSync {
  const folder = mkdtempSync(join(tmpdir(), 'epsilon-read-'));
  try {
    const copy = join(folder, 'copy.db');
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    const db = opened(copy);
    // Pages that are not in memory are read from the open file, which lives on without a name.
    return db;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Opens a database for reading, also where nothing can be written: a log that its writer has closed needs no helper files, and
 * otherwise a copy in the folder of temporary files gets them.
 */
export function openForReading(file: string): DatabaseSync {
  try {
    return opened(file);
  } catch (error) {
    const { errcode } = error as { errcode?: unknown };
    if (typeof errcode !== 'number' || !withoutHelpers.has(errcode & 0xff)) throw error;
    if (sizeOf(`${file}-wal`) > 0) return openedCopy(file);
    const url = pathToFileURL(file);
    url.search = '?mode=ro&immutable=1';
    return opened(url);
  }
}
