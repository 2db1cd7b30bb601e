import { afterEach, describe, expect, it } from 'vitest';
import { openTableStores, type TableStores } from '../../lib/aws/table/open-stores.ts';
import { openTableRecords } from '../../lib/aws/table/restored-records.ts';
import { fenceFloor } from '../../lib/backup/recovery.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import type { RuntimeOptions } from '../../local/runtime-types.ts';
import { MemoryDynamoDb } from '../dynamodb/memory-dynamodb.ts';
import { MemoryKeys } from '../dynamodb/memory-stores.ts';
import { tableSchema } from '../dynamodb/table-schema.ts';
import { type Night, openNight } from './harness.ts';

const tenants = ['acme', 'beta'];
const minute = 60_000;
let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

/** Tables of two regions; the handlers work on one of them, and on another from the moment that records go on there. */
class TwoTables {
  readonly home = new MemoryDynamoDb('epsilon-test', tableSchema);
  readonly there = new MemoryDynamoDb('epsilon-test-restore-1', tableSchema);
  readonly #keys = new MemoryKeys();
  #stores: TableStores | undefined;

  #optionsOf(dynamo: MemoryDynamoDb, clock: Clock) {
    return {
      client: dynamo.client(1),
      tableName: dynamo.tableName,
      clock,
      random: () => 0.5,
      ids: systemIds(clock),
      tokenKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/tokens',
      kms: async () => this.#keys,
    };
  }

  /** Stores that are asked anew each time where records are. */
  readonly make: NonNullable<RuntimeOptions['makeStores']> = (own, clock) => {
    this.#stores = openTableStores(this.#optionsOf(this.home, clock));
    const via = (key: keyof TableStores) =>
      new Proxy({} as never, {
        get: (_, method) => {
          const store = Reflect.get(this.#stores ?? {}, key) as object;
          const found: unknown = Reflect.get(store, method);
          return typeof found === 'function' ? (found.bind(store) as unknown) : found;
        },
      });
    const keys = Object.keys(this.#stores) as (keyof TableStores)[];
    return { ...own, ...Object.fromEntries(keys.map((key) => [key, via(key)])) };
  };

  /** The point: what the restored table has. */
  restore(): void {
    for (const item of this.home.table.all()) this.there.table.put(item, {})();
  }

  /** As a promotion does it: the old records are superseded, the restored ones start with nothing under way. */
  async promote(clock: Clock, point: string): Promise<void> {
    const [old, restored] = [this.home, this.there].map((dynamo) =>
      openTableRecords(this.#optionsOf(dynamo, clock)),
    );
    await old?.supersede(1);
    await restored?.recover({
      epoch: 1,
      at: new Date(clock.now()).toISOString(),
      cause: 'restored',
      claims: (await old?.claimsAfter(point, ['nightly-training'])) ?? [],
      buckets: { from: 'a', to: 'a' },
    });
  }

  /** Consumers work on the restored records. */
  serve(clock: Clock): void {
    this.#stores = openTableStores(this.#optionsOf(this.there, clock));
  }
}

const live = async () =>
  Promise.all(tenants.map(async (tenantId) => night.runtime.ports.models.live(tenantId)));
const trained = () => night.jobs.specs.filter(({ stage }) => stage === 'train');
const succeeded = async (logicalDate: string) => {
  const runs = await night.runtime.ports.runs.listRuns({ logicalDate, status: 'succeeded' });
  return runs.map(({ tenantId }) => tenantId).sort();
};

describe('records over DynamoDB of which a restored state goes on', () => {
  it('home that comes back stops what it had begun, cancels its jobs, promotes nothing and begins nothing', async () => {
    const tables = new TwoTables();
    night = await openNight({ makeStores: tables.make });
    night.jobs.fate = ({ stage }) => (stage === 'train' ? { seconds: 900 } : {});
    await night.add(...tenants);
    await night.advance(3 * minute);
    expect(night.jobs.live()).toHaveLength(tenants.length);
    tables.restore();
    await tables.promote(night.clock, new Date(night.clock.now()).toISOString());
    await night.advance(5 * minute);
    expect(await night.runtime.control.workflows.list({ status: 'RUNNING' })).toEqual([]);
    expect(night.jobs.live()).toEqual([]);
    expect(night.jobs.cancelled.length).toBe(tenants.length);
    const jobs = night.jobs.specs.length;
    expect(await night.until(await night.fire('2026-11-25T02:00:00.000Z'))).toMatchObject({
      status: 'FAILED',
      error: 'STATE_SUPERSEDED',
    });
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'FAILED' });
    expect(night.jobs.specs).toHaveLength(jobs);
    expect(await live()).toEqual([undefined, undefined]);
  });

  it('F40: night after the restore in the same account trains each tenant once, and a late delivery of the lost one none', async () => {
    const tables = new TwoTables();
    night = await openNight({ makeStores: tables.make });
    await night.add(...tenants);
    tables.restore();
    const point = new Date(night.clock.now()).toISOString();
    await night.advance(20 * minute);
    expect(await succeeded('2026-11-24')).toEqual(tenants);
    await tables.promote(night.clock, point);
    tables.serve(night.clock);
    expect(await succeeded('2026-11-24')).toEqual([]);
    // The scheduler delivers the lost night's time again: it was claimed by the night that the point does not know.
    const late = await night.until(await night.fire('2026-11-24T02:00:00.000Z'));
    expect(late).toMatchObject({ status: 'SUCCEEDED' });
    expect(trained()).toHaveLength(tenants.length);
    const next = await night.fire('2026-11-25T02:00:00.000Z');
    expect(await night.until(next)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await succeeded('2026-11-25')).toEqual(tenants);
    expect(trained()).toHaveLength(2 * tenants.length);
    expect(new Set(trained().map(({ jobName }) => jobName)).size).toBe(2 * tenants.length);
    for (const model of await live()) expect(model?.fence).toBeGreaterThan(fenceFloor(1));
  });
});
