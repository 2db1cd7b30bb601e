import { StaleFence } from '../../lib/errors/run-errors.ts';
import { ConditionFailed } from '../../lib/errors/store-errors.ts';
import type {
  AttemptExpectation,
  AttemptKey,
  LeaseRenewal,
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
import { isOfShard, type Shard } from '../../lib/training/shards.ts';
import type { Guards } from './guards.ts';
import type { HeldLease } from './memory-tenant-stores.ts';

/** Everything on record, by key; a record is replaced and never changed, so that it can be named once. */
export type Records = Map<string, object>;

/** Keys of records. */
export const recordKeys = {
  run: (runId: string) => `run ${runId}`,
  attempt: (key: AttemptKey) => `attempt ${attemptName(key)}`,
  lease: (tenantId: string) => `lease ${tenantId}`,
};

function changed<T extends object>(record: T, changes: object): T {
  const fields = Object.entries({ ...record, ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return withShortCause(Object.fromEntries(fields) as T);
}

function withoutToken({ taskToken: _, ...attempt }: Attempt): Attempt {
  return attempt;
}

const tokenless = new WeakMap<Attempt, Attempt>();

/** The same object for the same record, so that it is named once. */
function open(attempt: Attempt): Attempt {
  let found = tokenless.get(attempt);
  if (!found) {
    found = attempt.taskToken === undefined ? attempt : withoutToken(attempt);
    tokenless.set(attempt, found);
  }
  return found;
}

const byIntent = (a: Attempt, b: Attempt) =>
  a.intentAt.localeCompare(b.intentAt) || a.stage.localeCompare(b.stage) || a.attempt - b.attempt;
const newestFirst = (a: Run, b: Run) =>
  b.startedAt.localeCompare(a.startedAt) || b.runId.localeCompare(a.runId);

/** Runs and attempts in memory. Every method does its work at once, in one piece. */
export class MemoryRunStore implements RunStore {
  readonly #records: Records;
  readonly #guards: Guards;

  constructor(records: Records, guards: Guards) {
    this.#records = records;
    this.#guards = guards;
  }

  #run(runId: string): Run | undefined {
    return this.#records.get(recordKeys.run(runId)) as Run | undefined;
  }

  #attempt(key: AttemptKey): Attempt | undefined {
    return this.#records.get(recordKeys.attempt(key)) as Attempt | undefined;
  }

  #all<T>(kind: 'run' | 'attempt'): T[] {
    return [...this.#records].filter(([key]) => key.startsWith(`${kind} `)).map(([, record]) => record as T);
  }

  async createRun(run: Run): Promise<Run> {
    const there = this.#run(run.runId);
    if (!this.#guards.holds('absent', there === undefined) && there) return there;
    this.#records.set(recordKeys.run(run.runId), run);
    return run;
  }

  async getRun(runId: string): Promise<Run | undefined> {
    return this.#run(runId);
  }

  async updateRun(...[runId, changes, expect = {}]: Parameters<RunStore['updateRun']>): Promise<Run> {
    const run = this.#run(runId);
    const refused = (): never => {
      throw new ConditionFailed(`run ${runId} is ${run?.status ?? 'not on record'}`, { runId });
    };
    if (!run) return refused();
    const { status, maxRedriveCount: most, maxFence } = expect;
    const fits = [
      status === undefined || this.#guards.holds('status', status.includes(run.status)),
      most === undefined || this.#guards.holds('redriveCount', run.redriveCount <= most),
      maxFence === undefined || this.#guards.holds('fence', run.fence <= maxFence),
    ];
    if (fits.includes(false)) return refused();
    const next = changed(run, changes);
    this.#records.set(recordKeys.run(runId), next);
    return next;
  }

  async listRuns({ limit = Number.POSITIVE_INFINITY, ...filter }: RunFilter): Promise<Run[]> {
    const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
    const found = this.#all<Run>('run').filter((run) =>
      asked.every(([field, value]) => run[field as keyof Run] === value),
    );
    return found.sort(newestFirst).slice(0, Math.min(limit, found.length));
  }

  async listRunningRuns(shard: Shard): Promise<Run[]> {
    const running = this.#all<Run>('run').filter(
      ({ status, runId }) => status === 'running' && isOfShard(runId, shard),
    );
    return running.sort((a, b) => newestFirst(b, a));
  }

  async getRunWithAttempts(runId: string): Promise<{ run: Run; attempts: Attempt[] } | undefined> {
    const run = this.#run(runId);
    return run ? { run, attempts: this.#attemptsOf(runId) } : undefined;
  }

  #attemptsOf(runId: string): Attempt[] {
    const mine = this.#all<Attempt>('attempt').filter((attempt) => attempt.runId === runId);
    return mine.map(open).sort(byIntent);
  }

  async createAttempt(attempt: Attempt, { lease }: { readonly lease?: LeaseRenewal } = {}): Promise<void> {
    const { guards, held } = { guards: this.#guards, held: lease && this.#lease(lease) };
    if (held && !held.holds) throw new StaleFence(attempt.tenantId, lease?.fence ?? 0, held.fence);
    const before = this.#attempt({ ...attempt, attempt: attempt.attempt - 1 });
    const fits = [
      guards.holds('absent', this.#attempt(attempt) === undefined),
      attempt.attempt === 1 ||
        guards.holds('the one before is over', before !== undefined && terminalStatuses.has(before.status)),
    ];
    if (fits.includes(false))
      throw new ConditionFailed(`attempt ${attemptName(attempt)} is there or does not follow`);
    if (lease && held)
      this.#records.set(recordKeys.lease(lease.tenantId), { ...held.lease, expiresAt: lease.expiresAt });
    this.#records.set(recordKeys.attempt(attempt), attempt);
  }

  #lease({ tenantId, holder, fence }: LeaseRenewal) {
    const lease = this.#records.get(recordKeys.lease(tenantId)) as HeldLease | undefined;
    const fits = [
      this.#guards.holds('lease: holder and fence', lease?.holder === holder && lease.fence === fence),
      this.#guards.holds('lease: held', lease?.held === true),
    ];
    return { lease, fence: lease?.fence ?? 0, holds: !fits.includes(false) };
  }

  async getAttempt(key: AttemptKey): Promise<Attempt | undefined> {
    return this.#attempt(key);
  }

  async latestAttempt(runId: string, stage: Attempt['stage']): Promise<Attempt | undefined> {
    const mine = this.#all<Attempt>('attempt').filter((one) => one.runId === runId && one.stage === stage);
    return mine.sort((a, b) => b.attempt - a.attempt)[0];
  }

  async listAttempts(runId: string): Promise<Attempt[]> {
    return this.#attemptsOf(runId);
  }

  async updateAttempt(...asked: Parameters<RunStore['updateAttempt']>): Promise<Attempt> {
    const { changed: done, attempt } = await this.changeAttempt(...asked);
    if (done && attempt) return attempt;
    throw new ConditionFailed(`attempt ${attemptName(asked[0])} is ${attempt?.status ?? 'not on record'}`);
  }

  async changeAttempt(
    ...[key, changes, expect, { withToken = false } = {}]: Parameters<RunStore['changeAttempt']>
  ): Promise<{ changed: boolean; attempt?: Attempt }> {
    const given = (attempt: Attempt) => (withToken ? attempt : open(attempt));
    const attempt = this.#attempt(key);
    if (!attempt) return { changed: false };
    if (!this.#fits(attempt, expect)) return { changed: false, attempt: given(attempt) };
    const next = changed(attempt, changes);
    this.#records.set(recordKeys.attempt(key), next);
    return { changed: true, attempt: given(next) };
  }

  #fits(attempt: Attempt, expect: AttemptExpectation): boolean {
    const isAs: Readonly<Record<keyof AttemptExpectation, () => boolean>> = {
      status: () => expect.status?.includes(attempt.status) === true,
      tokenDigest: () => attempt.tokenDigest === expect.tokenDigest,
      tenantId: () => attempt.tenantId === expect.tenantId,
      backends: () => expect.backends?.includes(attempt.backend) === true,
      jobName: () => attempt.jobName === expect.jobName,
      jobId: () => (attempt.jobId ?? null) === expect.jobId,
      ofJob: () => attempt.jobId === undefined || attempt.jobId === expect.ofJob,
      strayJobId: () => (attempt.strayJobId ?? null) === expect.strayJobId,
      submitBegunAt: () => (attempt.submitBegunAt ?? null) === expect.submitBegunAt,
      maxRedriveCount: () => attempt.redriveCount <= (expect.maxRedriveCount ?? 0),
      maxRetryCount: () =>
        attempt.redriveCount < (expect.maxRedriveCount ?? 0) ||
        (attempt.retryCount ?? 0) <= (expect.maxRetryCount ?? 0),
    };
    const asked = Object.keys(expect) as (keyof AttemptExpectation)[];
    return !asked.map((field) => this.#guards.holds(field, isAs[field]())).includes(false);
  }

  async listOpenAttempts(...[asked]: Parameters<RunStore['listOpenAttempts']>): Promise<Attempt[]> {
    const isOpen = ({ settledAt, runId }: Attempt) => settledAt === undefined && isOfShard(runId, asked);
    const found = this.#all<Attempt>('attempt').filter(isOpen).sort(byIntent);
    return found.slice(0, Math.min(asked.limit ?? found.length, found.length));
  }
}
