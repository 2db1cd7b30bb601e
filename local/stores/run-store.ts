import { StaleFence } from '../../lib/errors/run-errors.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type {
  AttemptChanges,
  AttemptExpectation,
  AttemptKey,
  ChangeOptions,
  LeaseRenewal,
  RunChanges,
  RunExpectation,
  RunFilter,
  RunStore,
} from '../../lib/ports/run-store.ts';
import {
  type Attempt,
  attemptName,
  type Run,
  terminalStatuses,
  withShortCause,
} from '../../lib/training/run.ts';
import { isOfShard, partOf, partsOf, type Shard } from '../../lib/training/shards.ts';
import type { JobStage } from '../../lib/training/stages.ts';
import type { Database, Row, SqlValue } from './database.ts';
import { leaseFromRow } from './tenant-stores.ts';
import type { TokenBox } from './token-box.ts';

function withChanges<T extends object>(record: T, changes: object): T {
  const entries = Object.entries({ ...record, ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return withShortCause(Object.fromEntries(entries) as T);
}

function isAsExpected(attempt: Attempt, expect: AttemptExpectation): boolean {
  const { status, tokenDigest, jobName, tenantId, backends, ofJob, maxRedriveCount, maxRetryCount } = expect;
  const exact = ['submitBegunAt', 'jobId', 'strayJobId'] as const;
  return (
    (status === undefined || status.includes(attempt.status)) &&
    (tokenDigest === undefined || attempt.tokenDigest === tokenDigest) &&
    (jobName === undefined || attempt.jobName === jobName) &&
    (tenantId === undefined || attempt.tenantId === tenantId) &&
    (backends === undefined || backends.includes(attempt.backend)) &&
    exact.every((field) => expect[field] === undefined || (attempt[field] ?? null) === expect[field]) &&
    (ofJob === undefined || attempt.jobId === undefined || attempt.jobId === ofJob) &&
    (maxRedriveCount === undefined || attempt.redriveCount <= maxRedriveCount) &&
    (maxRetryCount === undefined ||
      attempt.redriveCount < (maxRedriveCount ?? 0) ||
      (attempt.retryCount ?? 0) <= maxRetryCount)
  );
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

  async updateRun(runId: string, changes: RunChanges, expect: RunExpectation = {}): Promise<Run> {
    return this.#db.transaction(() => {
      const run = this.#run(runId);
      const refused =
        !run ||
        (expect.status && !expect.status.includes(run.status)) ||
        (expect.maxRedriveCount !== undefined && run.redriveCount > expect.maxRedriveCount) ||
        (expect.maxFence !== undefined && run.fence > expect.maxFence);
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

  async listRunningRuns(shard: Shard): Promise<Run[]> {
    return this.#db
      .all("SELECT body FROM runs WHERE status = 'running' ORDER BY started_at, run_id")
      .map((row) => JSON.parse(String(row['body'])) as Run)
      .filter((run) => isOfShard(run.runId, shard));
  }

  async getRunWithAttempts(runId: string): Promise<{ run: Run; attempts: Attempt[] } | undefined> {
    return this.#db.transaction(() => {
      const run = this.#run(runId);
      return run ? { run, attempts: this.#attempts(runId) } : undefined;
    });
  }

  async createAttempt(attempt: Attempt, { lease }: { readonly lease?: LeaseRenewal } = {}): Promise<void> {
    this.#db.transaction(() => {
      if (lease) this.#renew(lease);
      const latest = this.#latest(attempt.runId, attempt.stage);
      const expected = latest ? latest.attempt + 1 : 1;
      if (attempt.attempt !== expected || (latest && !terminalStatuses.has(latest.status))) {
        throw new ConditionFailed(
          `attempt ${attemptName(attempt)} does not follow ${latest ? `${attemptName(latest)} (${latest.status})` : 'nothing'}`,
        );
      }
      this.#writeAttempt(attempt);
    });
  }

  async getAttempt(key: AttemptKey): Promise<Attempt | undefined> {
    return this.#attempt(key);
  }

  async latestAttempt(runId: string, stage: JobStage): Promise<Attempt | undefined> {
    return this.#latest(runId, stage);
  }

  async listAttempts(runId: string): Promise<Attempt[]> {
    return this.#attempts(runId);
  }

  async updateAttempt(
    key: AttemptKey,
    changes: AttemptChanges,
    expect: AttemptExpectation,
  ): Promise<Attempt> {
    const { changed, attempt } = await this.changeAttempt(key, changes, expect);
    if (changed && attempt) return attempt;
    throw new ConditionFailed(`attempt ${attemptName(key)} is ${attempt?.status ?? 'not on record'}`);
  }

  async changeAttempt(
    key: AttemptKey,
    changes: AttemptChanges,
    expect: AttemptExpectation,
    { withToken = false }: ChangeOptions = {},
  ): Promise<{ changed: boolean; attempt?: Attempt }> {
    const given = ({ taskToken, ...attempt }: Attempt): Attempt =>
      withToken && taskToken !== undefined ? { ...attempt, taskToken } : attempt;
    return this.#db.transaction(() => {
      const attempt = this.#attempt(key);
      if (!attempt) return { changed: false };
      if (!isAsExpected(attempt, expect)) return { changed: false, attempt: given(attempt) };
      const next = withChanges(attempt, changes);
      this.#writeAttempt(next);
      return { changed: true, attempt: given(next) };
    });
  }

  async listOpenAttempts({
    shard,
    shards,
    limit = 100_000,
  }: Parameters<RunStore['listOpenAttempts']>[0]): Promise<Attempt[]> {
    const { first, last } = partsOf({ shard, shards });
    return this.#db
      .all(
        'SELECT * FROM attempts WHERE open = 1 AND part BETWEEN ? AND ? ORDER BY intent_at LIMIT ?',
        first,
        last,
        limit,
      )
      .map((row) => this.#read(row));
  }

  #attempts(runId: string): Attempt[] {
    return this.#db
      .all('SELECT body FROM attempts WHERE run_id = ? ORDER BY intent_at, stage, attempt', runId)
      .map((row) => JSON.parse(String(row['body'])) as Attempt);
  }

  #renew({ tenantId, holder, fence, expiresAt }: LeaseRenewal): void {
    const changed = this.#db.run(
      'UPDATE leases SET expires_at = ? WHERE tenant_id = ? AND holder = ? AND fence = ? AND held = 1',
      expiresAt,
      tenantId,
      holder,
      fence,
    );
    if (changed === 1) return;
    const lease = leaseFromRow(this.#db.get('SELECT * FROM leases WHERE tenant_id = ?', tenantId));
    throw new StaleFence(tenantId, fence, lease?.fence ?? 0);
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

  #latest(runId: string, stage: JobStage): Attempt | undefined {
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
      ? { ...attempt, taskToken: this.#box.open(sealed, attemptName(attempt)) }
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
      taskToken === undefined ? null : this.#box.seal(taskToken, attemptName(attempt)),
      JSON.stringify(attempt),
    );
  }
}
