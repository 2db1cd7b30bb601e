import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TableStores } from '../../lib/aws/table/open-stores.ts';
import { functionIds } from '../../lib/config/logical-ids.ts';
import { LocalFunctions } from '../../local/adapters/functions.ts';
import { type MemoryStores, openMemoryStores } from '../dynamodb/memory-stores.ts';
import { type Night, openNight } from '../night/harness.ts';
import { covers, type TableUse, tableRights, usesOf } from './table-rights.ts';

const caller = new AsyncLocalStorage<string>();
const rights = tableRights();

/** What each function did with the table, over all nights below. */
const used = new Map<string, TableUse[]>();

/**
 * Partitions that no night here touches, and who does: Batch's call budget, by the functions whose runner is Batch's (the
 * jobs here are scripted).
 */
const elsewhere = [/^BUDGET#/];

const roleOf = (key: string) => functionIds(key).role;

let night: Night;
/** The night's table, as the test itself sees it: nothing is noted. */
let table: MemoryStores;

/** The stores with a process of its own for each function, as when deployed: none knows a key that another has read. */
function ofCallers(made: MemoryStores): TableStores {
  const processes = new Map<string, TableStores>();
  const mine = (): TableStores => {
    const key = caller.getStore() ?? 'nobody';
    const there = processes.get(key) ?? made.another();
    processes.set(key, there);
    return there;
  };
  const ports = Object.keys(made.another()) as (keyof TableStores)[];
  const port = (name: keyof TableStores) =>
    new Proxy({} as never, {
      get: (_, method: string) => {
        const store = mine()[name] as unknown as Record<string, (...args: unknown[]) => unknown>;
        return (...args: unknown[]) => store[method]?.(...args);
      },
    });
  return Object.fromEntries(ports.map((name) => [name, port(name)])) as unknown as TableStores;
}

/** A night over DynamoDB in which every call is noted under the function that made it. */
async function recordedNight(): Promise<Night> {
  const made = openMemoryStores();
  table = made;
  const { dynamo } = made;
  const record = dynamo.calls.push.bind(dynamo.calls);
  dynamo.calls.push = (...calls) => {
    const key = caller.getStore();
    if (key !== undefined) used.set(key, [...(used.get(key) ?? []), ...calls.flatMap(usesOf)]);
    return record(...calls);
  };
  return openNight({ makeStores: (own) => ({ ...own, ...ofCallers(made), close: () => own.close() }) });
}

beforeEach(() => {
  const { invoke } = LocalFunctions.prototype;
  vi.spyOn(LocalFunctions.prototype, 'invoke').mockImplementation(function (
    this: LocalFunctions,
    key,
    event,
  ) {
    return caller.run(key, () => invoke.call(this, key, event));
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await night.runtime.close();
});

/** Everything outside of what the role of its function allows. */
function refused(): string[] {
  return [...used].flatMap(([key, uses]) =>
    uses
      .filter((use) => !rights.some((right) => right.role === roleOf(key) && covers(right, use)))
      .map(({ action, place, partition }) => `${key}: ${action} on ${place} ${partition}`),
  );
}

describe('what functions do with the table is what their roles allow', () => {
  it('in a night of the schedule', async () => {
    night = await recordedNight();
    await night.add('acme', 'beta');
    expect(await night.until(await night.fire())).toMatchObject({ status: 'SUCCEEDED' });
    expect(refused()).toEqual([]);
  });

  it('in a night in which a tenant fails, is mended and redriven', async () => {
    night = await recordedNight();
    await night.add('acme', 'beta');
    night.jobs.fate = ({ tenantId, stage }) =>
      tenantId === 'beta' && stage === 'train' ? { exitCode: 1 } : {};
    const arn = await night.fire();
    expect(await night.until(arn)).toMatchObject({ status: 'FAILED' });
    night.jobs.fate = () => ({});
    await night.runtime.control.workflows.redrive(arn);
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(refused()).toEqual([]);
  });

  it('when events are lost, jobs vanish, runs are stopped, tenants are busy or kept from training', async () => {
    night = await recordedNight();
    await night.add('acme', 'beta', 'gamma');
    night.jobs.fate = ({ stage, attempt }) =>
      stage === 'prepare' ? { silent: true } : stage === 'train' && attempt === 1 ? { vanish: true } : {};
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    night.jobs.fate = () => ({ never: true });
    const stopped = await night.train('beta');
    await night.advance(60_000);
    await night.train('beta', 'beta-second');
    await night.advance(120_000);
    await night.runtime.control.workflows.stop(stopped, { error: 'Stopped', cause: 'by the test' });
    await night.advance(120_000);
    await table.verdicts.record({
      tenantId: 'gamma',
      verdict: 'failed',
      reasons: ['empty'],
      checkedAt: new Date(night.clock.now()).toISOString(),
    });
    await night.until(await night.train('gamma'));
    expect(refused()).toEqual([]);
  });

  it('when EC2 takes an instance away', async () => {
    night = await recordedNight();
    await night.add('acme');
    night.jobs.fate = ({ stage }) => (stage === 'train' ? { never: true } : {});
    await night.train('acme');
    await night.advance(60_000);
    // The scripted backend knows no instances; of the table the function reads the run's attempts.
    await caller.run('vacateInstance', () => night.runtime.control.runs.listAttempts('acme-manual'));
    expect(refused()).toEqual([]);
  });

  it('and their roles allow no partition that they do not work in', () => {
    const idle = new Map<string, string[]>();
    for (const { role, partition } of rights) {
      if (elsewhere.some((pattern) => pattern.test(partition))) continue;
      const mine = rights.filter((right) => right.role === role && right.partition === partition);
      const key = [...used.keys()].find((name) => roleOf(name) === role);
      const touched = (used.get(key ?? '') ?? []).some((use) => mine.some((right) => covers(right, use)));
      if (!touched) idle.set(role, [...new Set([...(idle.get(role) ?? []), partition])]);
    }
    expect([...idle]).toEqual([]);
  });
});
