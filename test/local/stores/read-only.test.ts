import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { Database } from '../../../local/stores/database.ts';
import { freshDir } from '../asl/harness.ts';

const migrations = ['CREATE TABLE notes (text TEXT NOT NULL) STRICT'];

/** A database with one row; with `open`, as a writer that was killed leaves it: the row is in its log only. */
function written({ open }: { readonly open: boolean }): string {
  const dir = freshDir();
  const file = join(dir, 'store.db');
  const db = new Database({ file, migrations });
  db.run("INSERT INTO notes VALUES ('kept')");
  if (!open) {
    db.close();
    return dir;
  }
  const left = freshDir();
  cpSync(dir, left, { recursive: true });
  rmSync(join(left, 'store.db-shm'));
  db.close();
  return left;
}

/** What a reader finds while nothing can be written; why it could not be tried, where root may not mount. */
function readUnwritable(dir: string): string | { readonly skipped: string } {
  const view = join(freshDir(), 'view');
  mkdirSync(view);
  try {
    execFileSync('mount', ['--bind', dir, view], { stdio: 'pipe' });
  } catch (error) {
    return { skipped: (error as Error).message };
  }
  try {
    execFileSync('mount', ['-o', 'remount,ro,bind', view], { stdio: 'pipe' });
    const db = new Database({ file: join(view, 'store.db'), migrations, readOnly: true });
    const text = String(db.get('SELECT text FROM notes')?.['text']);
    db.close();
    return text;
  } finally {
    execFileSync('umount', [view]);
  }
}

describe('a database on a file system that cannot be written', () => {
  it.each([
    ['closed by its writer', false],
    ['left by a killed writer, with its log', true],
  ])('is read when it was %s', (_, open) => {
    const found = readUnwritable(written({ open }));
    if (typeof found === 'string') expect(found).toBe('kept');
    else process.stderr.write(`SKIPPED: reading from a read-only file system (${found.skipped})\n`);
  });
});

describe('a database that another process holds locked', () => {
  it('is named as such within a second, and can be written when the lock is gone', () => {
    const file = join(freshDir(), 'store.db');
    const db = new Database({ file, migrations });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const write = () => db.transaction(() => db.run("INSERT INTO notes VALUES ('x')"));
    expect(write).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED', exitCode: 4 }));
    other.exec('ROLLBACK');
    expect(write()).toBe(1);
    other.close();
    db.close();
  });
});
