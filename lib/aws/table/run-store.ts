import { ConditionFailed } from '../../errors/store-errors.ts';
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
} from '../../ports/run-store.ts';
import { type Attempt, attemptName, type Run } from '../../training/run.ts';
import type { Shard } from '../../training/shards.ts';
import { isStage, type JobStage } from '../../training/stages.ts';
import { absent, all, any, beginsWith, compare, isOneOf, type Part, present } from './expressions.ts';
import { openAttributes, runKeys } from './keys.ts';
import { newAttemptParts, whyRefused } from './new-attempt.ts';
import { openItems } from './open-work.ts';
import { attemptForm, runForm } from './records.ts';
import { createRunParts, listingOf } from './run-listings.ts';
import { keptDays } from './schema.ts';
import type { SealedTokens } from './sealed-tokens.ts';
import { partitionIs, type Table } from './table.ts';
import type { Item } from './table-errors.ts';

const daySeconds = 86_400;

const restOf = ({ stage, attempt }: AttemptKey) => `#${stage}#${attempt}`;

const byStart = (a: Run, b: Run) =>
  a.startedAt === b.startedAt ? (a.runId < b.runId ? 1 : -1) : a.startedAt < b.startedAt ? 1 : -1;

const byIntent = (a: Attempt, b: Attempt) => {
  const [left, right] = [a, b].map(
    ({ intentAt, stage, attempt }) => `${intentAt} ${stage} ${String(attempt).padStart(6, '0')}`,
  );
  return (left ?? '') < (right ?? '') ? -1 : 1;
};

/** Runs and attempts in the table (docs/table.md). */
export class TableRunStore implements RunStore {
  readonly #table: Table;
  readonly #tokens: SealedTokens;

  constructor(table: Table, tokens: SealedTokens) {
    this.#table = table;
    this.#tokens = tokens;
  }

  async createRun(run: Run): Promise<Run> {
    const refusals = await this.#table.transact(createRunParts(run));
    if (!refusals) return run;
    const there = refusals[0]?.item ?? (await this.#table.get(runKeys.record(run.runId)));
    if (there) return runForm.read(there);
    throw new ConditionFailed(`run ${run.runId} was neither created nor found`, { runId: run.runId });
  }

  async getRun(runId: string): Promise<Run | undefined> {
    const item = await this.#table.get(runKeys.record(runId));
    return item ? runForm.read(item) : undefined;
  }

  async updateRun(runId: string, changes: RunChanges, expect: RunExpectation = {}): Promise<Run> {
    const conditions: Part[] = [present('pk')];
    if (expect.status) conditions.push(isOneOf('status', expect.status));
    if (expect.maxRedriveCount !== undefined)
      conditions.push(compare('redriveCount', '<=', expect.maxRedriveCount));
    if (expect.maxFence !== undefined) conditions.push(compare('fence', '<=', expect.maxFence));
    const open = openAttributes('RUN', runId);
    const index =
      changes.status === undefined
        ? {}
        : changes.status === 'running'
          ? open
          : { openPart: null, openOrder: null };
    const { done, item } = await this.#table.update(
      runKeys.record(runId),
      { ...runForm.write(changes), ...index },
      all(...conditions),
    );
    if (done && item) return runForm.read(item);
    throw new ConditionFailed(`run ${runId} is ${String(item?.['status'] ?? 'not on record')}`, { runId });
  }

  async listRuns(filter: RunFilter): Promise<Run[]> {
    const { limit = Number.POSITIVE_INFINITY } = filter;
    const items = await this.#listed(filter);
    const fits = (run: Run) =>
      (['tenantId', 'logicalDate', 'status', 'nightArn'] as const).every(
        (field) => filter[field] === undefined || run[field] === filter[field],
      );
    const found = items.map((item) => runForm.read(item)).filter(fits);
    return found.sort(byStart).slice(0, Math.min(limit, found.length));
  }

  /** The items a filter can mean: through a listing or the index where there is one, through the whole table otherwise. */
  async #listed(filter: RunFilter): Promise<Item[]> {
    const listing = listingOf(filter);
    if (listing) {
      const listed = await this.#table.query({ ...listing, newestFirst: true });
      return this.#table.getMany(listed.map(({ runId }) => runKeys.record(String(runId))));
    }
    const { status } = filter;
    if (status === 'running') return openItems(this.#table, 'RUN', { shard: 0, shards: 1 });
    const asked = [compare('sk', '=', runKeys.record('').sk), beginsWith('pk', runKeys.partition(''))];
    if (status !== undefined) asked.push(compare('status', '=', status));
    return this.#table.scan(all(...asked));
  }

  async listRunningRuns(shard: Shard): Promise<Run[]> {
    const runs = (await openItems(this.#table, 'RUN', shard)).map((item) => runForm.read(item));
    return runs.filter((run) => run.status === 'running').sort((a, b) => byStart(b, a));
  }

  async getRunWithAttempts(runId: string): Promise<{ run: Run; attempts: Attempt[] } | undefined> {
    const items = await this.#table.query({ partition: partitionIs(runKeys.partition(runId)) });
    const run = items.find(({ sk }) => sk === runKeys.record(runId).sk);
    if (!run) return undefined;
    const attempts = items.filter(({ sk }) => String(sk).startsWith(runKeys.attempts));
    return {
      run: runForm.read(run),
      attempts: attempts.map((item) => attemptForm.read(item)).sort(byIntent),
    };
  }

  async createAttempt(attempt: Attempt, { lease }: { readonly lease?: LeaseRenewal } = {}): Promise<void> {
    const { taskToken, ...rest } = attempt;
    const parts = newAttemptParts(
      {
        ...runKeys.attempt(attempt),
        ...attemptForm.write(rest),
        ...(attempt.settledAt === undefined ? openAttributes('ATTEMPT', attempt.runId, restOf(attempt)) : {}),
        ...(taskToken === undefined ? {} : await this.#tokens.seal(taskToken, attempt)),
        ...expiryOf(attempt),
      },
      attempt,
      lease,
    );
    const refusals = await this.#table.transact(parts);
    if (refusals) throw whyRefused(refusals, attempt, lease);
  }

  async getAttempt(key: AttemptKey): Promise<Attempt | undefined> {
    const item = await this.#table.get(runKeys.attempt(key));
    return item ? this.#read(item) : undefined;
  }

  async latestAttempt(runId: string, stage: JobStage): Promise<Attempt | undefined> {
    const [item] = await this.#table.query({
      partition: partitionIs(runKeys.partition(runId)),
      range: beginsWith('sk', runKeys.attemptsOf(stage)),
      newestFirst: true,
      limit: 1,
    });
    return item ? this.#read(item) : undefined;
  }

  async listAttempts(runId: string): Promise<Attempt[]> {
    const items = await this.#table.query({
      partition: partitionIs(runKeys.partition(runId)),
      range: beginsWith('sk', runKeys.attempts),
    });
    return items.map((item) => attemptForm.read(item)).sort(byIntent);
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
    const { taskToken, ...rest } = changes;
    const token =
      taskToken === undefined
        ? {}
        : taskToken === null
          ? { sealedToken: null }
          : await this.#tokens.seal(taskToken, key);
    const { done, item } = await this.#table.update(
      runKeys.attempt(key),
      { ...attemptForm.write(rest), ...token, ...openIndex(changes, key) },
      all(...attemptConditions(expect)),
    );
    if (!item) return { changed: false };
    return { changed: done, attempt: withToken ? await this.#read(item) : attemptForm.read(item) };
  }

  async listOpenAttempts({
    limit = Number.POSITIVE_INFINITY,
    ...shard
  }: Shard & { readonly limit?: number }): Promise<Attempt[]> {
    const items = await openItems(this.#table, 'ATTEMPT', shard);
    const attempts = await Promise.all(items.map((item) => this.#read(item)));
    return attempts.sort(byIntent).slice(0, Math.min(limit, attempts.length));
  }

  async #read(item: Item): Promise<Attempt> {
    const attempt: Attempt = attemptForm.read(item);
    const taskToken = await this.#tokens.open(item, attempt);
    return taskToken === undefined ? attempt : { ...attempt, taskToken };
  }
}

/** Attempts of a training stay as long as their run; those of jobs that look at data belong to none, and go by themselves. */
function expiryOf({ stage, intentAt }: Attempt): Item {
  if (isStage(stage)) return {};
  return { ttl: Math.floor(Date.parse(intentAt) / 1000) + keptDays.profile * daySeconds };
}

function attemptConditions(expect: AttemptExpectation): Part[] {
  const { status, tokenDigest, jobName, tenantId, backends, ofJob, maxRedriveCount } = expect;
  const { submitBegunAt, jobId, strayJobId, maxRetryCount } = expect;
  const conditions = [status === undefined ? present('pk') : isOneOf('status', status)];
  if (tokenDigest !== undefined) conditions.push(compare('tokenDigest', '=', tokenDigest));
  if (jobName !== undefined) conditions.push(compare('jobName', '=', jobName));
  if (tenantId !== undefined) conditions.push(compare('tenantId', '=', tenantId));
  if (backends !== undefined) conditions.push(isOneOf('backend', backends));
  for (const [name, value] of Object.entries({ submitBegunAt, jobId, strayJobId }))
    if (value !== undefined) conditions.push(value === null ? absent(name) : compare(name, '=', value));
  if (ofJob !== undefined) conditions.push(any(absent('jobId'), compare('jobId', '=', ofJob)));
  if (maxRedriveCount !== undefined) conditions.push(compare('redriveCount', '<=', maxRedriveCount));
  if (maxRedriveCount !== undefined && maxRetryCount !== undefined)
    conditions.push(
      any(
        compare('redriveCount', '<', maxRedriveCount),
        absent('retryCount'),
        compare('retryCount', '<=', maxRetryCount),
      ),
    );
  return conditions;
}

/** An attempt is in the index of open work until it is settled. */
function openIndex(changes: AttemptChanges, key: AttemptKey): Item {
  if (changes.settledAt === undefined) return {};
  if (changes.settledAt === null) return openAttributes('ATTEMPT', key.runId, restOf(key));
  return { openPart: null, openOrder: null };
}
