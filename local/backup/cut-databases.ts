import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { pointersOf } from '../../lib/backup/pointers.ts';
import type { CutDatabase } from '../../lib/ports/backup/source.ts';
import type { LiveModel, ModelVersion } from '../../lib/training/models/model.ts';
import { forgetTokens } from '../asl/journal/forget-tokens.ts';
import { journalMigrations } from '../asl/journal/sqlite.ts';
import { Database, explainSqlite } from '../stores/database.ts';
import { storeMigrations } from '../stores/schema.ts';

/** Databases of a state directory, with their schemas. */
export const databases = { 'engine.db': journalMigrations, 'store.db': storeMigrations } as const;

/** A database of a state directory. */
export type DatabaseName = keyof typeof databases;

/** Their names. */
export const databaseNames = Object.keys(databases) as DatabaseName[];

/** Pages that are copied before others have their turn. */
const pagesAtOnce = 1_000;

/** Holds the database as it is now: what is written from here on is not seen through this connection. */
function held(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true });
  db.exec('BEGIN');
  db.prepare('SELECT count(*) FROM sqlite_schema').get();
  return db;
}

/**
 * Copies both databases as they are at this very moment, before this returns to its caller. Only this process writes them, and
 * nothing else happens in it between the two holds: no write can be in one copy while what it belongs to is missing in the other.
 * The writer goes on while pages are copied.
 */
export async function copyDatabases(from: string, to: string): Promise<void> {
  const sources: [string, DatabaseSync][] = [];
  try {
    for (const name of databaseNames) sources.push([name, held(join(from, name))]);
    for (const [name, source] of sources) await backup(source, join(to, name), { rate: pagesAtOnce });
  } catch (error) {
    throw explainSqlite(error, from);
  } finally {
    for (const [, source] of sources) source.close();
  }
}

/** Works on a database of a folder that nobody else has open, and leaves one file of it. */
export function withDatabase<T>(folder: string, name: DatabaseName, work: (db: Database) => T): T {
  const file = join(folder, name);
  const db = new Database({ file, migrations: databases[name] });
  try {
    return work(db);
  } finally {
    db.close();
    const plain = new DatabaseSync(file);
    plain.exec('PRAGMA journal_mode = DELETE');
    plain.close();
  }
}

/** Takes out of the copies what is a secret or belongs to the process that wrote them: task tokens, locks. */
export function withoutSecrets(folder: string): void {
  withDatabase(folder, 'engine.db', forgetTokens);
  withDatabase(folder, 'store.db', (db) => {
    db.run('PRAGMA secure_delete = ON');
    db.run('UPDATE attempts SET token = NULL WHERE token IS NOT NULL');
    db.run('DELETE FROM locks');
  });
}

/** Rows of each table. */
export function countRows(db: DatabaseSync): Record<string, number> {
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  return Object.fromEntries(
    tables.map(({ name }) => {
      const quoted = `"${String(name).replaceAll('"', '""')}"`;
      return [String(name), Number(db.prepare(`SELECT count(*) AS rows FROM ${quoted}`).get()?.['rows'])];
    }),
  );
}

/** A copied database as part of a cut. */
export function cutDatabase(folder: string, name: DatabaseName): CutDatabase {
  const file = join(folder, name);
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const schema = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    const content = () => createReadStream(file);
    return { name, bytes: statSync(file).size, schema, tables: countRows(db), content };
  } finally {
    db.close();
  }
}

/** Objects and prefixes that the model records of a store name. */
export function pointersIn(db: Database): string[] {
  const rows = db.all('SELECT body FROM models UNION ALL SELECT body FROM live');
  return pointersOf(rows.map(({ body }) => JSON.parse(String(body)) as ModelVersion | LiveModel));
}
