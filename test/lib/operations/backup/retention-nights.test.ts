import { describe, expect, it } from 'vitest';
import { pointersOf } from '../../../../lib/backup/pointers.ts';
import { pruneRecords } from '../../../../lib/operations/backup/prune-records.ts';
import { removeRetired } from '../../../../lib/operations/backup/remove-retired.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { RecoveryCloud } from '../../../aws/recovery-cloud.ts';
import { aModel, anAttempt, aRun, aTenant } from '../../../fixtures/records.ts';

const day = 86_400_000;
const always = () => true;

/** A service in two regions in which nights pass: every tenant is trained, and then its records and objects are pruned. */
function passingNights(tenantId = 'acme') {
  const clock = new VirtualClock(Date.parse('2026-01-01T02:00:00Z'));
  const cloud = new RecoveryCloud(clock);
  const ports = cloud.ports();
  const { dataBucket } = ports.config;
  const put = (uri: string) => {
    cloud.home.set(uri, 'x');
    cloud.replica.set(uri.replace(dataBucket, `${dataBucket}-replica`), 'x');
  };
  const outputs = (runId: string) => `s3://${dataBucket}/${tenantId}/runs/${runId}`;
  async function train(): Promise<void> {
    const at = new Date(clock.now()).toISOString();
    const runId = `${tenantId}-${at.slice(0, 10)}`;
    const root = outputs(runId);
    const model = aModel({
      tenantId,
      runId,
      modelVersion: `M${at.slice(0, 10)}`,
      modelUri: `${root}/train/1/model.bin`,
      indexUri: `${root}/index/1/index.faiss`,
      dataUri: `${root}/prepare/1/`,
      cacheUri: `${root}/cache/1/`,
    });
    for (const name of [
      'train/1/model.bin',
      'index/1/index.faiss',
      'index/1/ids.json',
      'prepare/1/a',
      'cache/1/a',
    ])
      put(`${root}/${name}`);
    await ports.runs.createRun(
      aRun({ runId, tenantId, status: 'running', startedAt: at, logicalDate: at.slice(0, 10) }),
    );
    await ports.runs.createAttempt(anAttempt({ runId, tenantId, status: 'succeeded', settledAt: at }));
    await ports.models.register(model);
    const { modelVersion } = model;
    await ports.models.promote({ tenantId, modelVersion, fence: 1, at, reason: 'run' });
    await ports.runs.updateRun(runId, { status: 'succeeded', finishedAt: at });
  }
  return {
    clock,
    cloud,
    ports,
    begin: () => ports.tenants.put(aTenant({ tenantId }), 0),
    train,
    prune: async () => ({
      records: await pruneRecords(ports, always),
      objects: await removeRetired(ports, always),
    }),
    pointers: async () => pointersOf(await ports.models.list(tenantId)),
    sizes: () => ({
      // What ends by itself, as DynamoDB sees to, is not counted.
      items: cloud.stores.dynamo.table.all().filter((item) => item['ttl'] === undefined).length,
      home: cloud.home.size,
      replica: cloud.replica.size,
    }),
    /** Pointers that nothing is at in a region. */
    missing: (pointers: readonly string[], where: 'home' | 'replica') => {
      const keys = [...cloud[where].keys()].map((uri) => uri.slice(5).replace('-replica/', '/'));
      return pointers.filter((pointer) => !keys.some((key) => key.startsWith(pointer)));
    },
  };
}

describe('retention in two regions', () => {
  it('what is kept is flat after 100 nights, and every moment that can be restored finds what it names', async () => {
    const nights = passingNights();
    await nights.begin();
    const named: string[][] = [];
    const sizes = [];
    for (let night = 1; night <= 100; night += 1) {
      await nights.train();
      // The table can be restored to any second: also to before this pruning.
      const before = await nights.pointers();
      await nights.prune();
      named.push([...new Set([...before, ...(await nights.pointers())])]);
      sizes.push(nights.sizes());
      await nights.clock.advance(day);
    }
    // 5 models on record, 36 days and the present one for objects, 7 more for their replicas.
    expect(sizes[99]).toEqual(sizes[89]);
    expect(sizes[99]?.home).toBe(5 * (5 + 37));
    expect(sizes[99]?.replica).toBe(5 * (5 + 37 + 7));
    for (const [ago, pointers] of named.toReversed().slice(0, 35).entries())
      for (const where of ['home', 'replica'] as const)
        expect(nights.missing(pointers, where), `${ago} days ago, ${where}`).toEqual([]);
    expect(nights.missing(named[0] ?? [], 'replica')).not.toEqual([]);
  }, 60_000);

  it('F41: what a record names again stays, in both regions', async () => {
    const nights = passingNights();
    await nights.begin();
    for (let night = 1; night <= 6; night += 1) {
      await nights.train();
      await nights.clock.advance(day);
    }
    const [first] = (await nights.ports.models.list('acme')).toReversed();
    if (!first) throw new Error('nothing was trained');
    expect(await nights.prune()).toMatchObject({ records: { models: 1, runs: 0, left: 0 } });
    // As a restored table has it: from before it was forgotten.
    await nights.ports.models.register(first);
    await nights.clock.advance(60 * day);
    const { objects } = { objects: await removeRetired(nights.ports, always) };
    expect(objects).toEqual({ here: 0, there: 0, kept: 1, left: 0 });
    expect(nights.missing(pointersOf([first]), 'home')).toEqual([]);
    expect(nights.missing(pointersOf([first]), 'replica')).toEqual([]);
  });

  it('what there is no time for is left and counted, and the next pass does it', async () => {
    const nights = passingNights();
    await nights.begin();
    for (let night = 1; night <= 6; night += 1) {
      await nights.train();
      await nights.clock.advance(day);
    }
    expect(await pruneRecords(nights.ports, () => false)).toEqual({ models: 0, runs: 0, left: 1 });
    await nights.prune();
    await nights.clock.advance(37 * day);
    expect(await removeRetired(nights.ports, () => false)).toMatchObject({ left: 1, here: 0 });
    expect(await removeRetired(nights.ports, always)).toMatchObject({ left: 0, here: 5, there: 0 });
    await nights.clock.advance(7 * day);
    expect(await removeRetired(nights.ports, always)).toMatchObject({ here: 0, there: 5 });
    expect(await removeRetired(nights.ports, always)).toEqual({ here: 0, there: 0, kept: 0, left: 0 });
  });

  it('settings that say off remove nothing', async () => {
    const cloud = new RecoveryCloud(new VirtualClock(0));
    const ports = cloud.ports({ mode: 'off' });
    await ports.tenants.put(aTenant(), 0);
    expect(await pruneRecords(ports, always)).toEqual({ models: 0, runs: 0, left: 0 });
    expect(await removeRetired(ports, always)).toEqual({ here: 0, there: 0, kept: 0, left: 0 });
  });
});
