import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import { Database, type Row } from '../../stores/database.ts';
import type { EventRecord, ExecutionRecord, MapRunRecord, ThreadRecord } from '../model/records.ts';
import type { ExecutionFilter, Journal, JournalBatch, StoredExecution } from './journal.ts';
import { type Column, columnsOf, sumOf, type Table } from './row-sums.ts';

/** Schema of engine.db, one entry per version; entries are only ever appended. */
export const journalMigrations: readonly string[] = [
  `
  CREATE TABLE definitions (hash TEXT PRIMARY KEY, body TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
  CREATE TABLE executions (
    key INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, status TEXT NOT NULL,
    map_run_arn TEXT, map_index INTEGER, body TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
  CREATE INDEX executions_open ON executions (status) WHERE status IN ('RUNNING', 'PENDING_REDRIVE');
  CREATE INDEX executions_by_machine ON executions (machine, key);
  CREATE INDEX executions_by_map_run ON executions (map_run_arn, map_index) WHERE map_run_arn IS NOT NULL;
  CREATE TABLE events (
    execution INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (execution, first)) STRICT, WITHOUT ROWID;
  CREATE TABLE threads (
    execution INTEGER NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (execution, id)) STRICT, WITHOUT ROWID;
  CREATE TABLE map_runs (
    arn TEXT PRIMARY KEY, execution INTEGER NOT NULL, status TEXT NOT NULL, inputs TEXT NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
  CREATE INDEX map_runs_by_execution ON map_runs (execution);
  `,
  // Checksums cover a row's columns too from here on; rows from before keep theirs.
  'SELECT 1',
];

/** The engine's journal in `<stateDir>/engine.db`: one transaction a batch, a checksum on every row. */
export class SqliteJournal implements Journal {
  readonly volatile = false;
  readonly #db: Database;

  constructor({ stateDir, readOnly = false }: { readonly stateDir: string; readonly readOnly?: boolean }) {
    this.#db = new Database({ file: join(stateDir, 'engine.db'), migrations: journalMigrations, readOnly });
    // A changed column or index entry would hide what is there. Gaps in histories are found when they are read.
    if (!readOnly) this.#db.verify(['definitions', 'executions', 'threads', 'map_runs']);
  }

  write(batch: JournalBatch): void {
    this.#db.transaction(() => {
      for (const [hash, text] of batch.definitions) {
        this.#db.run(
          'INSERT OR IGNORE INTO definitions (hash, body, crc) VALUES (?, ?, ?)',
          hash,
          text,
          sumOf([hash], text),
        );
      }
      for (const execution of batch.executions) this.#writeExecution(execution);
      for (const [key, events] of batch.events) this.#writeEvents(key, events);
      for (const [key, thread] of batch.threads) {
        const body = JSON.stringify(thread);
        this.#db.run(
          'INSERT OR REPLACE INTO threads (execution, id, body, crc) VALUES (?, ?, ?, ?)',
          key,
          thread.id,
          body,
          sumOf([key, thread.id], body),
        );
      }
      for (const [key, thread] of batch.removedThreads)
        this.#db.run('DELETE FROM threads WHERE execution = ? AND id = ?', key, thread);
      for (const key of batch.endedThreads) this.#db.run('DELETE FROM threads WHERE execution = ?', key);
      for (const run of batch.mapRuns) this.#writeMapRun(run);
    });
  }

  #writeExecution(execution: ExecutionRecord): void {
    const body = JSON.stringify(execution);
    const { key, arn, machine, status, mapRunArn = null, mapIndex = null } = execution;
    this.#db.run(
      `INSERT INTO executions (key, arn, machine, status, map_run_arn, map_index, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET status = excluded.status, body = excluded.body, crc = excluded.crc`,
      key,
      arn,
      machine,
      status,
      mapRunArn,
      mapIndex,
      body,
      sumOf([key, arn, machine, status, mapRunArn, mapIndex], body),
    );
  }

  #writeEvents(key: number, events: readonly EventRecord[]): void {
    const first = events[0]?.id ?? 0;
    const last = events.at(-1)?.id ?? 0;
    const body = JSON.stringify(events);
    this.#db.run(
      'INSERT OR REPLACE INTO events (execution, first, last, body, crc) VALUES (?, ?, ?, ?, ?)',
      key,
      first,
      last,
      body,
      sumOf([key, first, last], body),
    );
  }

  #writeMapRun({ inputs, ...run }: MapRunRecord): void {
    const body = JSON.stringify(run);
    this.#db.run(
      `INSERT INTO map_runs (arn, execution, status, inputs, body, crc) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (arn) DO UPDATE SET status = excluded.status, body = excluded.body, crc = excluded.crc`,
      run.arn,
      run.execution,
      run.status,
      inputs,
      body,
      sumOf([run.arn, run.execution, run.status, inputs], body),
    );
  }

  #damaged(place: string, what: string): EpsilonError {
    return new EpsilonError(
      'STATE_DIR_CORRUPT',
      `${this.#db.file}: the record at ${place} ${what}; restore the file from a copy.`,
      { exitCode: exitCodes.backend, details: { file: this.#db.file, place } },
    );
  }

  /** A row's body, as text that its checksum vouches for. */
  #checked(table: Table, row: Row, place: string): string {
    const body = String(row['body']);
    const crc = Number(row['crc']);
    const columns = columnsOf[table].map((column) => row[column] as Column);
    if (sumOf(columns, body) !== crc && crc32(body) !== crc)
      throw this.#damaged(`${table} ${place}`, 'does not match its checksum');
    return body;
  }

  #read<T>(table: Table, row: Row, place: string): T {
    return JSON.parse(this.#checked(table, row, place)) as T;
  }

  #threads(key: number): ThreadRecord[] {
    return this.#db
      .all('SELECT * FROM threads WHERE execution = ? ORDER BY id', key)
      .map((row) => this.#read<ThreadRecord>('threads', row, `${key}/${String(row['id'])}`));
  }

  #executions(rows: readonly Row[]): ExecutionRecord[] {
    return rows.map((row) => this.#read<ExecutionRecord>('executions', row, String(row['key'])));
  }

  open(): StoredExecution[] {
    const rows = this.#db.all(
      `SELECT * FROM executions WHERE status IN ('RUNNING', 'PENDING_REDRIVE') ORDER BY key`,
    );
    const open = new Map<number, { execution: ExecutionRecord; threads: ThreadRecord[] }>();
    for (const execution of this.#executions(rows)) open.set(execution.key, { execution, threads: [] });
    // All threads are looked at: one whose key was changed belongs to nobody who asks for it.
    for (const row of this.#db.all('SELECT * FROM threads ORDER BY execution, id')) {
      const [key, id] = [Number(row['execution']), Number(row['id'])];
      const body = this.#checked('threads', row, `${key}/${id}`);
      open.get(key)?.threads.push(JSON.parse(body) as ThreadRecord);
    }
    for (const [key, { threads }] of open)
      if (threads.length === 0) throw this.#damaged(`executions ${key}`, 'has lost its threads');
    return [...open.values()];
  }

  #mapRunsFrom(rows: readonly Row[]): MapRunRecord[] {
    return rows.map((row) => ({
      ...this.#read<MapRunRecord>('map_runs', row, String(row['arn'])),
      inputs: String(row['inputs']),
    }));
  }

  openMapRuns(): MapRunRecord[] {
    return this.#mapRunsFrom(this.#db.all(`SELECT * FROM map_runs WHERE status = 'RUNNING'`));
  }

  definition(hash: string): string | undefined {
    const row = this.#db.get('SELECT * FROM definitions WHERE hash = ?', hash);
    return row && this.#checked('definitions', row, hash);
  }

  execution(arn: string): ExecutionRecord | undefined {
    return this.#executions(this.#db.all('SELECT * FROM executions WHERE arn = ?', arn))[0];
  }

  stored(arn: string): StoredExecution | undefined {
    const execution = this.execution(arn);
    return execution && { execution, threads: this.#threads(execution.key) };
  }

  list({
    machine,
    status,
    mapRunArn,
    limit,
    before = Number.MAX_SAFE_INTEGER,
  }: ExecutionFilter): ExecutionRecord[] {
    const rows = this.#db.all(
      `SELECT * FROM executions WHERE key < ? AND (?2 IS NULL OR machine = ?2) AND (?3 IS NULL OR status = ?3)
       AND map_run_arn IS ?4 ORDER BY key DESC LIMIT ?5`,
      before,
      machine ?? null,
      status ?? null,
      mapRunArn ?? null,
      limit,
    );
    return this.#executions(rows);
  }

  mapRun(arn: string): MapRunRecord | undefined {
    return this.#mapRunsFrom(this.#db.all('SELECT * FROM map_runs WHERE arn = ?', arn))[0];
  }

  mapRunsOf(execution: number): MapRunRecord[] {
    return this.#mapRunsFrom(this.#db.all('SELECT * FROM map_runs WHERE execution = ?', execution));
  }

  childrenOf(mapRunArn: string, fromIndex: number, limit: number): ExecutionRecord[] {
    return this.#executions(
      this.#db.all(
        'SELECT * FROM executions WHERE map_run_arn = ? AND map_index >= ? ORDER BY map_index LIMIT ?',
        mapRunArn,
        fromIndex,
        limit,
      ),
    );
  }

  events(execution: number, fromId: number, limit: number): EventRecord[] {
    // Read before the events, so that a writer at work can only add to them.
    const [record] = this.#executions(this.#db.all('SELECT * FROM executions WHERE key = ?', execution));
    const rows = this.#db.all(
      'SELECT * FROM events WHERE execution = ? AND last >= ? AND first < ? ORDER BY first',
      execution,
      fromId,
      fromId + limit,
    );
    const events = rows
      .flatMap((row) => this.#read<EventRecord[]>('events', row, `${execution}/${String(row['first'])}`))
      .filter((event) => event.id >= fromId && event.id < fromId + limit);
    const last = Math.min(fromId + limit - 1, record?.eventCount ?? 0);
    for (let id = Math.max(1, fromId); id <= last; id += 1)
      if (events[id - Math.max(1, fromId)]?.id !== id)
        throw this.#damaged(`events ${execution}/${id}`, 'is missing');
    return events;
  }

  highestKey(): number {
    return Number(this.#db.get('SELECT max(key) AS key FROM executions')?.['key'] ?? 0);
  }

  close(): void {
    this.#db.close();
  }
}
