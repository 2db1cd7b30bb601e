import { afterEach, describe, expect, it } from 'vitest';
import type { RunStore } from '../../lib/ports/run-store.ts';
import type { RuntimeOptions } from '../../local/runtime.ts';
import type { LocalStores } from '../../local/stores/local-stores.ts';
import { type MemoryStores, openMemoryStores } from '../dynamodb/memory-stores.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

/** Jobs of one run; the schedule may start the night's own run beside it. */
const stagesOf = ({ jobs }: Night, runId: string) =>
  jobs.specs.filter((spec) => spec.runId === runId).map((spec) => `${spec.stage}-${spec.attempt}`);
const everyStage = ['prepare-1', 'train-1', 'index-1', 'deploy-1', 'cache-1'];

/** The stores under test, with a way to make one method of the runs fail. */
class Backing {
  stores: LocalStores | undefined;
  dynamo: MemoryStores | undefined;
  /** Called before a method of the run store; may throw. */
  before: (method: string, args: readonly unknown[]) => void = () => {};

  readonly kind: 'SQLite' | 'DynamoDB';

  constructor(kind: 'SQLite' | 'DynamoDB') {
    this.kind = kind;
  }

  readonly makeStores: NonNullable<RuntimeOptions['makeStores']> = (own, clock) => {
    this.dynamo ??= this.kind === 'DynamoDB' ? openMemoryStores({ clock }) : undefined;
    const stores: LocalStores = this.dynamo ? { ...own, ...this.dynamo.another() } : own;
    const runs = new Proxy(stores.runs, {
      get: (store, method) => {
        const found = store[method as keyof RunStore];
        return (...args: unknown[]) => {
          this.before(String(method), args);
          return (found as (...all: unknown[]) => unknown).apply(store, args);
        };
      },
    });
    this.stores = { ...stores, runs, close: () => own.close() };
    return this.stores;
  };
}

const lambdaUnknown = () => Object.assign(new Error('the process died'), { name: 'Lambda.Unknown' });

describe.each(['SQLite', 'DynamoDB'] as const)('a night with its stores in %s', (kind) => {
  const open = async (options: { schedules?: boolean } = {}) => {
    const backing = new Backing(kind);
    night = await openNight({ ...options, makeStores: backing.makeStores });
    await night.add('acme');
    return backing;
  };

  it('F1, F3: two deliveries of one scheduled time, and two nights of one date, train each tenant once', async () => {
    await open();
    const [arn, again] = [await night.fire(), await night.fire()];
    const other = await night.runtime.control.workflows.start({
      machine: 'nightly-training',
      name: 'another-event',
      input: { scheduledTime: '2026-11-24T02:00:00Z' },
    });
    expect(again).toBe(arn);
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED', output: { succeeded: 1 } });
    expect(await night.until(other.executionArn)).toMatchObject({ output: { outcome: 'duplicate' } });
    expect(stagesOf(night, 'acme-2026-11-24')).toEqual(everyStage);
    expect(night.jobs.specs).toHaveLength(everyStage.length);
  });

  it('F2: a delivery a day later, and one from a replayed archive, find the time claimed', async () => {
    const backing = await open({ schedules: false });
    await night.until(await night.fire());
    const replay = async (name: string, input: Record<string, unknown>) => {
      const { executionArn } = await night.runtime.control.workflows.start({
        machine: 'nightly-training',
        name,
        input: { scheduledTime: '2026-11-24T02:00:00Z', ...input },
      });
      return (await night.until(executionArn)).output;
    };
    await night.advance(24 * 3_600_000 - 60_000);
    expect(await replay('late', {})).toMatchObject({ outcome: 'duplicate' });
    await night.advance(30 * 86_400_000);
    backing.dynamo?.dynamo.table.sweep('ttl', Math.floor(night.clock.now() / 1000));
    expect(await replay('from-the-archive', {})).toMatchObject({ outcome: 'duplicate' });
    // Meant by an operator: it runs, and finds nothing due.
    expect(await replay('on-purpose', { trigger: 'manual' })).toMatchObject({ failed: 0, rate: null });
    expect(night.jobs.specs).toHaveLength(everyStage.length);
  });

  it('F8: a crash with the intent written and nothing submitted ends in one job', async () => {
    await open();
    let crashes = 1;
    night.jobs.beforeSubmit = async () => {
      crashes -= 1;
      if (crashes >= 0) throw lambdaUnknown();
    };
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(stagesOf(night, 'acme-manual')).toEqual(everyStage);
  });

  it('F9: a crash after the submission and before its job id is kept ends in one job', async () => {
    const backing = await open();
    const seen: string[] = [];
    backing.before = (method, [, changes]) => {
      const { status } = (changes ?? {}) as { status?: string };
      if (!method.endsWith('Attempt') || status !== 'submitted') return;
      seen.push(method);
      if (seen.length === 1) throw lambdaUnknown();
    };
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(seen.length).toBeGreaterThan(1);
    expect(stagesOf(night, 'acme-manual')).toEqual(everyStage);
  });

  it('F10: a submission that was made but whose answer is lost ends in one job', async () => {
    await open();
    let losses = 2;
    night.jobs.onSubmit = () => {
      losses -= 1;
      if (losses >= 0) throw lambdaUnknown();
    };
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(stagesOf(night, 'acme-manual')).toEqual(everyStage);
  });

  it('F11: an invocation that runs out of time, and goes on afterwards, does not make a second job', async () => {
    await open();
    const held: (() => void)[] = [];
    const holding = Promise.withResolvers<void>();
    night.jobs.beforeSubmit = async ({ stage }) => {
      if (stage !== 'train' || held.length > 0) return;
      holding.resolve();
      await new Promise<void>((resolve) => held.push(resolve));
    };
    night.jobs.fate = ({ stage }) => (stage === 'train' ? { seconds: 600 } : {});
    const arn = await night.train('acme');
    // Until then time may not outrun the work: functions are loaded at their first invocation.
    for (let seconds = 0; seconds < 120 && held.length === 0; seconds += 1) {
      await Promise.race([night.settle(), holding.promise]);
      if (held.length === 0) await night.clock.advance(1_000);
    }
    // The held invocation is at work until its 60 seconds are over: time has to pass although it is.
    for (let seconds = 0; seconds < 120; seconds += 1) {
      for (let turn = 0; turn < 200; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      await night.clock.advance(1_000);
    }
    expect(stagesOf(night, 'acme-manual')).toEqual(['prepare-1', 'train-1']);
    expect(held).toHaveLength(1);
    for (const release of held) release();
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(stagesOf(night, 'acme-manual')).toEqual(everyStage);
  });

  it('F28: of two runs of one tenant one waits; their stages never mix', async () => {
    await open();
    night.jobs.fate = ({ runId }) => (runId === 'first' ? { seconds: 300 } : {});
    const first = await night.train('acme', 'first');
    await night.settle();
    const second = await night.train('acme', 'second');
    expect(await night.until(first)).toMatchObject({ output: { outcome: 'succeeded' } });
    expect(stagesOf(night, 'second')).toEqual([]);
    expect(await night.until(second)).toMatchObject({ output: { outcome: 'succeeded' } });
    const mixed = night.jobs.specs.map(({ runId }) => runId).filter((runId) => runId !== 'acme-2026-11-24');
    expect(mixed).toEqual([...Array<string>(5).fill('first'), ...Array<string>(5).fill('second')]);
  });

  it('F29: a dead holder’s lease runs out; the next holder has a larger fence, and the dead one’s writes are refused', async () => {
    const backing = await open();
    const at = (ms: number) => new Date(night.clock.now() + ms).toISOString();
    const dead = await backing.stores?.leases.acquire({
      tenantId: 'acme',
      holder: 'dead',
      now: at(0),
      expiresAt: at(600_000),
    });
    const arn = await night.train('acme');
    await night.advance(300_000);
    expect(night.jobs.specs).toEqual([]);
    expect(await night.until(arn)).toMatchObject({ output: { outcome: 'succeeded' } });
    const run = await night.runtime.control.runs.getRun('acme-manual');
    expect(run?.fence).toBeGreaterThan(dead?.fence ?? 0);
    const late = { tenantId: 'acme', holder: 'dead', fence: dead?.fence ?? 0, expiresAt: at(900_000) };
    await expect(backing.stores?.leases.renew(late)).rejects.toMatchObject({ name: 'StaleFence' });
    const promotion = {
      tenantId: 'acme',
      modelVersion: run?.modelVersion ?? '',
      fence: late.fence,
      at: at(0),
    };
    await expect(backing.stores?.models.promote({ ...promotion, reason: 'run' })).rejects.toMatchObject({
      name: 'StaleFence',
    });
    const [attempt] = (await backing.stores?.runs.listAttempts('acme-manual')) ?? [];
    if (!attempt) throw new Error('the run has no attempts');
    await expect(
      backing.stores?.runs.createAttempt({ ...attempt, runId: 'dead' }, { lease: late }),
    ).rejects.toMatchObject({ name: 'StaleFence' });
  });

  it('a night goes through restarts and events that nobody heard', async () => {
    await open();
    await night.add('beta', 'gamma');
    night.jobs.fate = ({ attempt }) => ({ seconds: 20, silent: attempt === 1 });
    const arn = await night.fire();
    for (let restarts = 0; restarts < 3; restarts += 1) {
      await night.advance(30_000);
      await night.restart();
    }
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED', output: { succeeded: 3 } });
    expect(night.jobs.specs).toHaveLength(15);
  });
});

describe('handlers on DynamoDB', () => {
  it('never reads the whole table, and leaves no token in it', async () => {
    const backing = new Backing('DynamoDB');
    night = await openNight({ makeStores: backing.makeStores });
    await night.add('acme', 'beta');
    const arn = await night.fire();
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    const actions = new Set(backing.dynamo?.dynamo.calls.map(({ action }) => action));
    expect(actions).toContain('TransactWriteItems');
    expect(actions).not.toContain('Scan');
    const stored = backing.dynamo?.dynamo.table.all() ?? [];
    expect(stored.length).toBeGreaterThan(20);
    expect(stored.filter((item) => 'sealedToken' in item || 'openPart' in item)).toEqual([]);
  });

  it('judges a night right although the index shows nothing yet', async () => {
    const backing = new Backing('DynamoDB');
    night = await openNight({ makeStores: backing.makeStores });
    await night.add('acme', 'beta');
    backing.dynamo?.dynamo.table.holdIndexes();
    const arn = await night.fire();
    expect(await night.until(arn)).toMatchObject({ output: { succeeded: 2, failed: 0, rate: 1 } });
  });
});
