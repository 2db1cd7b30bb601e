import { chmodSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { openForReading } from './read-only.ts';
import { checkWriteAheadLog } from './write-ahead-log.ts';

/** Marks our files among all SQLite files ("EPSI"). */
const applicationId = 0x45505349;

/**
 * Milliseconds that a call waits for another process's lock. SQLite waits within the call, in which nothing else happens in this
 * process: longer waits are for whoever can do something meanwhile.
 */
const busyMs = 250;

const restore = 'restore the file from a copy or start with another state directory';

/** How a database file is opened. */
export interface DatabaseOptions {
  readonly file: string;
  /** Schema changes in order; `user_version` counts those applied. */
  readonly migrations: readonly string[];
  readonly readOnly?: boolean;
}

/** Begins a migration that only adds: the version before, which does not know it, may still use the file. */
export const addsOnly = '-- adds only';

/** Puts on record which versions may use a file of this schema: an earlier release that is returned to, above all. */
function sayReadable(db: DatabaseSync, migrations: readonly string[]): void {
  const from = 1 + migrations.findLastIndex((migration) => !migration.trimStart().startsWith(addsOnly));
  const schema = migrations.length;
  db.exec(`
    CREATE TABLE IF NOT EXISTS readable (schema INTEGER PRIMARY KEY, readable_from INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO readable (schema, readable_from) VALUES (${schema}, ${from})`);
}

/** A SQLite file: prepared statements are kept, faults become errors with a code, writes are transactions. */
export class Database {
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  constructor({ file, migrations, readOnly = false }: DatabaseOptions) {
    this.file = file;
    if (!existsSync(file)) {
      if (readOnly) throw new EpsilonError('STATE_DIR_ABSENT', `There is no state at ${file} yet.`);
      this.#make(migrations);
    }
    // SQLite stops at the first damaged frame and says nothing: what follows it would be lost silently.
    // A reader may find the log while its writer is at work; who writes has it alone.
    if (!readOnly) checkWriteAheadLog(file);
    this.#db = this.#guard(() => (readOnly ? openForReading(file) : new DatabaseSync(file)));
    try {
      this.#guard(() => this.#check(migrations));
      if (!readOnly) this.#guard(() => this.#migrate(this.#db, migrations));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** A file that is there is always whole: it is made under another name and renamed. */
  #make(migrations: readonly string[]): void {
    const draft = `${this.file}.new`;
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true });
    this.#guard(() => {
      const db = new DatabaseSync(draft);
      try {
        db.exec(`PRAGMA application_id = ${applicationId}`);
        this.#migrate(db, migrations);
        db.exec('PRAGMA journal_mode = DELETE');
      } finally {
        db.close();
      }
    });
    chmodSync(draft, 0o600);
    renameSync(draft, this.file);
  }

  #check(migrations: readonly string[]): void {
    this.#db.exec(`PRAGMA busy_timeout = ${busyMs}`);
    if (statSync(this.file).size === 0) {
      throw new EpsilonError(
        'STATE_DIR_CORRUPT',
        `${this.file} is empty; restore it from a copy or choose another state directory.`,
        { exitCode: exitCodes.backend },
      );
    }
    const owner = Number(this.#db.prepare('PRAGMA application_id').get()?.['application_id']);
    if (owner !== applicationId) {
      throw new EpsilonError(
        'STATE_DIR_FOREIGN',
        `${this.file} is not a database of Epsilon; choose another state directory.`,
      );
    }
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > migrations.length && this.#readableFrom(version) > migrations.length) {
      throw new EpsilonError(
        'STATE_DIR_NEWER',
        `${this.file} was written by a newer version (schema ${version}, known ${migrations.length}); upgrade first.`,
      );
    }
  }

  /** The lowest schema whose version of Epsilon may use the file, as the one that wrote it says; that schema itself where it says nothing. */
  #readableFrom(version: number): number {
    const known = this.#db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'readable'").get();
    const row = known && this.#db.prepare('SELECT readable_from FROM readable WHERE schema = ?').get(version);
    return row ? Number(row['readable_from']) : version;
  }

  #migrate(db: DatabaseSync, migrations: readonly string[]): void {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    for (let next = version; next < migrations.length; next += 1) {
      db.exec(`BEGIN; ${migrations[next] ?? ''}; PRAGMA user_version = ${next + 1}; COMMIT`);
    }
    // What a newer version wrote is its own to say.
    if (version <= migrations.length) sayReadable(db, migrations);
  }

  /** Refuses tables whose rows and indexes do not fit together, naming the place; takes a pass over them. */
  verify(tables: readonly string[]): void {
    for (const table of tables) {
      const [finding] = this.all(`PRAGMA integrity_check(${table})`);
      const what = String(finding?.['integrity_check']);
      if (what === 'ok') continue;
      throw new EpsilonError(
        'STATE_DIR_CORRUPT',
        `${this.file}: table ${table} is damaged: ${what}; ${restore}.`,
        {
          exitCode: exitCodes.backend,
          details: { file: this.file, place: table },
        },
      );
    }
  }

  /** Rows of a query. */
  all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#guard(() => this.#statement(sql).all(...values) as Row[]);
  }

  /** First row of a query. */
  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#guard(() => this.#statement(sql).get(...values) as Row | undefined);
  }

  /** Rows changed by a statement. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#guard(() => Number(this.#statement(sql).run(...values).changes));
  }

  /** Runs `work` as one transaction; all of it is on disk when this returns, or none of it. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#guard(() => this.#db.exec('BEGIN IMMEDIATE'));
    this.#depth += 1;
    try {
      const result = work();
      this.#guard(() => this.#db.exec('COMMIT'));
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainSqlite(error, this.file);
    }
  }
}

/** A value SQLite stores. */
export type SqlValue = string | number | null | Uint8Array;

/** A row by column name. */
export type Row = Record<string, SqlValue>;

/** SQLite's primary result codes that users can do something about (https://www.sqlite.org/rescode.html). */
const explanations: Readonly<Record<number, readonly [code: string, sentence: string]>> = {
  13: ['DISK_FULL', 'The disk is full; nothing was half written'],
  5: ['DATABASE_LOCKED', 'Another process holds the database locked'],
  6: ['DATABASE_LOCKED', 'Another process holds the database locked'],
  11: [
    'STATE_DIR_CORRUPT',
    'The file is damaged; restore it from a copy or start with another state directory',
  ],
  // Our statements fit our schema: what they do not find there was there once.
  1: ['STATE_DIR_CORRUPT', "The file's schema is damaged; restore it or start with another state directory"],
  26: [
    'STATE_DIR_CORRUPT',
    'The file is not a database (damaged or foreign); restore it or choose another state directory',
  ],
  8: ['STATE_DIR_UNWRITABLE', 'The file cannot be written'],
  14: ['STATE_DIR_UNWRITABLE', 'The file cannot be opened'],
  10: ['STATE_DIR_IO', 'The disk reported an error'],
};

/** SQLite's error with a code and a sentence that says what to do; other errors as they are. */
export function explainSqlite(error: unknown, file: string): unknown {
  const number = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof number !== 'number') return error;
  const known = explanations[number & 0xff];
  if (!known) return error;
  const [code, sentence] = known;
  return new EpsilonError(code, `${sentence}: ${file}.`, {
    exitCode: exitCodes.backend,
    cause: error,
    details: { file },
  });
}
