import { createHash } from 'node:crypto';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type { AttemptChanges, AttemptKey, RunFilter, RunStore } from '../../lib/ports/run-store.ts';
import { type Attempt, type Run, terminalStatuses } from '../../lib/training/run.ts';
import type { StageName } from '../../lib/training/stages.ts';
import type { Database, Row, SqlValue } from './database.ts';
import type { TokenBox } from './token-box.ts';

const keyText = ({ runId, stage, attempt }: AttemptKey) => `${runId}/${stage}/${attempt}`;

/** A run's place among 65,536 parts: stable, so that shards never share an attempt. */
function partOf(runId: string): number {
  return createHash('sha256').update(runId).digest().readUInt16BE(0);
}

function withChanges<T extends object>(record: T, changes: object): T {
  const entries = Object.entries({ ...record, ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(entries) as T;
}

/** Runs and attempts in SQLite. */
export class LocalRunStore implements RunStore {
  readonly #db: Database;
  readonly #box: TokenBox;

  constructor(db: Database, box: TokenBox) {
    this.#db = db;
    this.#box = box;
  }

  async createRun(run: Run): Promise<Run> {
    return this.#db.transaction(() => {
      const there = this.#run(run.runId);
      if (there) return there;
      this.#writeRun(run);
      return run;
    });
  }

  async getRun(runId: string): Promise<Run | undefined> {
    return this.#run(runId);
  }

  async updateRun(
    runId: string,
    changes: Partial<Run>,
    expect: Parameters<RunStore['updateRun']>[2] = {},
  ): Promise<Run> {
    return this.#db.transaction(() => {
      const run = this.#run(runId);
      const refused =
        !run ||
        (expect.status && !expect.status.includes(run.status)) ||
        (expect.maxRedriveCount !== undefined && run.redriveCount > expect.maxRedriveCount);
      if (refused) throw new ConditionFailed(`run ${runId} is ${run?.status ?? 'not on record'}`, { runId });
      const next = withChanges(run, changes);
      this.#writeRun(next);
      return next;
    });
  }

  async listRuns({ tenantId, logicalDate, status, nightArn, limit = 1_000_000 }: RunFilter): Promise<Run[]> {
    const conditions: [string, string | undefined][] = [
      ['tenant_id = ?', tenantId],
      ['logical_date = ?', logicalDate],
      ['status = ?', status],
      ['night_arn = ?', nightArn],
    ];
    const given = conditions.filter((condition): condition is [string, string] => condition[1] !== undefined);
    const where = given.length === 0 ? '' : `WHERE ${given.map(([sql]) => sql).join(' AND ')}`;
    const values: SqlValue[] = given.map(([, value]) => value);
    return this.#db
      .all(`SELECT body FROM runs ${where} ORDER BY started_at DESC, run_id DESC LIMIT ?`, ...values, limit)
      .map((row) => JSON.parse(String(row['body'])) as Run);
  }

  async createAttempt(attempt: Attempt): Promise<void> {
    this.#db.transaction(() => {
      const latest = this.#latest(attempt.runId, attempt.stage);
      const expected = latest ? latest.attempt + 1 : 1;
      if (attempt.attempt !== expected || (latest && !terminalStatuses.has(latest.status))) {
        throw new ConditionFailed(
          `attempt ${keyText(attempt)} does not follow ${latest ? `${keyText(latest)} (${latest.status})` : 'nothing'}`,
        );
      }
      this.#writeAttempt(attempt);
    });
  }

  async getAttempt(key: AttemptKey): Promise<Attempt | undefined> {
    return this.#attempt(key);
  }

  async latestAttempt(runId: string, stage: StageName): Promise<Attempt | undefined> {
    return this.#latest(runId, stage);
  }

  async listAttempts(runId: string): Promise<Attempt[]> {
    return this.#db
      .all('SELECT * FROM attempts WHERE run_id = ? ORDER BY intent_at, stage, attempt', runId)
      .map((row) => this.#read(row));
  }

  async updateAttempt(
    key: AttemptKey,
    changes: AttemptChanges,
    expect: Parameters<RunStore['updateAttempt']>[2],
  ): Promise<Attempt> {
    return this.#db.transaction(() => {
      const attempt = this.#attempt(key);
      const fits =
        attempt &&
        expect.status.includes(attempt.status) &&
        (expect.taskToken === undefined || attempt.taskToken === expect.taskToken);
      if (!fits)
        throw new ConditionFailed(`attempt ${keyText(key)} is ${attempt?.status ?? 'not on record'}`);
      const next = withChanges(attempt, changes);
      this.#writeAttempt(next);
      return next;
    });
  }

  async listOpenAttempts({
    shard,
    shards,
    limit = 100_000,
  }: Parameters<RunStore['listOpenAttempts']>[0]): Promise<Attempt[]> {
    return this.#db
      .all(
        'SELECT * FROM attempts WHERE open = 1 AND part % ? = ? ORDER BY intent_at LIMIT ?',
        shards,
        shard,
        limit,
      )
      .map((row) => this.#read(row));
  }

  #run(runId: string): Run | undefined {
    const row = this.#db.get('SELECT body FROM runs WHERE run_id = ?', runId);
    return row ? (JSON.parse(String(row['body'])) as Run) : undefined;
  }

  #writeRun(run: Run): void {
    this.#db.run(
      `INSERT OR REPLACE INTO runs (run_id, tenant_id, logical_date, status, night_arn, started_at, redrive_count, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      run.runId,
      run.tenantId,
      run.logicalDate,
      run.status,
      run.nightArn ?? null,
      run.startedAt,
      run.redriveCount,
      JSON.stringify(run),
    );
  }

  #attempt({ runId, stage, attempt }: AttemptKey): Attempt | undefined {
    const row = this.#db.get(
      'SELECT * FROM attempts WHERE run_id = ? AND stage = ? AND attempt = ?',
      runId,
      stage,
      attempt,
    );
    return row ? this.#read(row) : undefined;
  }

  #latest(runId: string, stage: StageName): Attempt | undefined {
    const row = this.#db.get(
      'SELECT * FROM attempts WHERE run_id = ? AND stage = ? ORDER BY attempt DESC LIMIT 1',
      runId,
      stage,
    );
    return row ? this.#read(row) : undefined;
  }

  #read(row: Row): Attempt {
    const attempt = JSON.parse(String(row['body'])) as Attempt;
    const sealed = row['token'];
    return sealed instanceof Uint8Array
      ? { ...attempt, taskToken: this.#box.open(sealed, keyText(attempt)) }
      : attempt;
  }

  #writeAttempt({ taskToken, ...attempt }: Attempt): void {
    this.#db.run(
      `INSERT OR REPLACE INTO attempts (run_id, stage, attempt, status, open, part, intent_at, token, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      attempt.runId,
      attempt.stage,
      attempt.attempt,
      attempt.status,
      attempt.settledAt === undefined ? 1 : 0,
      partOf(attempt.runId),
      attempt.intentAt,
      taskToken === undefined ? null : this.#box.seal(taskToken, keyText(attempt)),
      JSON.stringify(attempt),
    );
  }
}
