import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import { Database, type Row } from '../../stores/database.ts';
import type { EventRecord, ExecutionRecord, MapRunRecord, ThreadRecord } from '../records.ts';
import type { Batch, ExecutionFilter, Journal, StoredExecution } from './journal.ts';

const migrations: readonly string[] = [
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
];

/** The engine's journal in `<stateDir>/engine.db`: one transaction a batch, a checksum on every row. */
export class SqliteJournal implements Journal {
  readonly volatile = false;
  readonly #db: Database;

  constructor({ stateDir, readOnly = false }: { readonly stateDir: string; readonly readOnly?: boolean }) {
    this.#db = new Database({ file: join(stateDir, 'engine.db'), migrations, readOnly });
  }

  write(batch: Batch): void {
    this.#db.transaction(() => {
      for (const [hash, text] of batch.definitions) {
        this.#db.run(
          'INSERT OR IGNORE INTO definitions (hash, body, crc) VALUES (?, ?, ?)',
          hash,
          text,
          crc32(text),
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
          crc32(body),
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
    this.#db.run(
      `INSERT INTO executions (key, arn, machine, status, map_run_arn, map_index, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET status = excluded.status, body = excluded.body, crc = excluded.crc`,
      execution.key,
      execution.arn,
      execution.machine,
      execution.status,
      execution.mapRunArn ?? null,
      execution.mapIndex ?? null,
      body,
      crc32(body),
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
      crc32(body),
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
      crc32(body),
    );
  }

  #read<T>(row: Row, place: string): T {
    const body = String(row['body']);
    if (crc32(body) !== Number(row['crc'])) {
      throw new EpsilonError(
        'STATE_DIR_CORRUPT',
        `${this.#db.file}: the record at ${place} does not match its checksum; restore the file from a copy.`,
        {
          exitCode: exitCodes.backend,
          details: { file: this.#db.file, place },
        },
      );
    }
    return JSON.parse(body) as T;
  }

  #threads(key: number): ThreadRecord[] {
    return this.#db
      .all('SELECT id, body, crc FROM threads WHERE execution = ? ORDER BY id', key)
      .map((row) => this.#read<ThreadRecord>(row, `threads ${key}/${String(row['id'])}`));
  }

  #executions(rows: readonly Row[]): ExecutionRecord[] {
    return rows.map((row) => this.#read<ExecutionRecord>(row, `executions ${String(row['key'])}`));
  }

  open(): StoredExecution[] {
    const rows = this.#db.all(
      `SELECT key, body, crc FROM executions WHERE status IN ('RUNNING', 'PENDING_REDRIVE') ORDER BY key`,
    );
    return this.#executions(rows).map((execution) => ({ execution, threads: this.#threads(execution.key) }));
  }

  #mapRunsFrom(rows: readonly Row[]): MapRunRecord[] {
    return rows.map((row) => ({
      ...this.#read<MapRunRecord>(row, `map_runs ${String(row['arn'])}`),
      inputs: String(row['inputs']),
    }));
  }

  openMapRuns(): MapRunRecord[] {
    return this.#mapRunsFrom(this.#db.all(`SELECT * FROM map_runs WHERE status = 'RUNNING'`));
  }

  definition(hash: string): string | undefined {
    const row = this.#db.get('SELECT body, crc FROM definitions WHERE hash = ?', hash);
    if (!row) return undefined;
    this.#read<unknown>(row, `definitions ${hash}`);
    return String(row['body']);
  }

  execution(arn: string): ExecutionRecord | undefined {
    return this.#executions(this.#db.all('SELECT key, body, crc FROM executions WHERE arn = ?', arn))[0];
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
      `SELECT key, body, crc FROM executions WHERE key < ? AND (?2 IS NULL OR machine = ?2) AND (?3 IS NULL OR status = ?3)
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

  childrenOf(mapRunArn: string): ExecutionRecord[] {
    return this.#executions(
      this.#db.all(
        'SELECT key, body, crc FROM executions WHERE map_run_arn = ? ORDER BY map_index',
        mapRunArn,
      ),
    );
  }

  events(execution: number, fromId: number, limit: number): EventRecord[] {
    const rows = this.#db.all(
      'SELECT first, body, crc FROM events WHERE execution = ? AND last >= ? AND first < ? ORDER BY first',
      execution,
      fromId,
      fromId + limit,
    );
    return rows
      .flatMap((row) => this.#read<EventRecord[]>(row, `events ${execution}/${String(row['first'])}`))
      .filter((event) => event.id >= fromId && event.id < fromId + limit);
  }

  highestKey(): number {
    return Number(this.#db.get('SELECT max(key) AS key FROM executions')?.['key'] ?? 0);
  }

  close(): void {
    this.#db.close();
  }
}
