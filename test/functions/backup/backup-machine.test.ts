import { describe, expect, it } from 'vitest';
import { databaseId, replicaKey, there } from '../../aws/recovery-cloud.ts';
import { region } from '../../fixtures/aws-base.ts';
import { openBackups } from './backup-bench.ts';

const day = 'epsilon-dev-2026-11-24';

describe('backup', () => {
  it.each(['with its events', 'with every event lost'])(
    'machine ends with a copy in both regions, %s',
    async (how) => {
      const backups = openBackups();
      if (how === 'with its events') backups.listen();
      await backups.cloud.train(backups.ports, 'acme');
      const ended = await backups.hours();
      expect(ended).toMatchObject({
        status: 'SUCCEEDED',
        output: {
          outcome: 'done',
          point: { newest: expect.any(String), faults: [] },
          snapshots: { removed: [] },
        },
      });
      for (const name of [region, there])
        expect(backups.cloud.rds.region(name).snapshots.get(day)).toMatchObject({ Status: 'available' });
      const point = (await backups.ports.recoveryRecords.newest('point', 9)).at(-1);
      expect(point).toMatchObject({
        objects: { named: 5, read: 5, left: 0, faults: [] },
        newest: point?.stores.database.newest,
      });
      const exported = backups.cloud.home.get(point?.export ?? '') ?? '';
      expect(JSON.parse(exported)).toMatchObject({
        tenants: [{ tenantId: 'acme' }],
        live: [{ tenantId: 'acme' }],
      });
      expect(exported.toLowerCase()).not.toMatch(/token|secret|password/);
    },
  );

  it('event answers at once, and only what a look confirms', async () => {
    const backups = openBackups();
    const { executionArn } = await backups.engine.startExecution({
      machine: 'backup',
      input: { trigger: 'manual' },
    });
    await backups.clock.advance(120_000);
    await backups.wake({ detail: { SourceIdentifier: day, EventID: 'RDS-EVENT-0042' } });
    expect(backups.cloud.rds.calls.some(({ command }) => command === 'CopyDBSnapshot')).toBe(false);
    backups.listen();
    await backups.clock.advance(480_000);
    await backups.clock.advance(0);
    expect(backups.cloud.rds.calls.some(({ command }) => command === 'CopyDBSnapshot')).toBe(true);
    expect(await backups.wake({ detail: { SourceIdentifier: 'of somebody else' } })).toEqual({ woken: 0 });
    await backups.until(executionArn);
  });

  it.each([
    ['InvalidDBInstanceStateFault', 'CreateDBSnapshot'],
    ['SnapshotQuotaExceededFault', 'CreateDBSnapshot'],
    ['SnapshotQuotaExceededFault', 'CopyDBSnapshot'],
    ['InvalidDBSnapshotStateFault', 'CopyDBSnapshot'],
  ])('refusal %s of %s is waited for', async (error, command) => {
    const backups = openBackups();
    backups.cloud.rds.refuse(command, error, 3);
    expect(await backups.hours()).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'done' } });
  });

  it('snapshot that failed is taken again in the next hour', async () => {
    const backups = openBackups();
    backups.cloud.rds.fate = () => ({ minutes: 5, ends: 'failed' });
    expect(await backups.hour()).toMatchObject({ status: 'FAILED', error: 'RecoveryFailed' });
    backups.cloud.rds.fate = () => ({ minutes: 5, ends: 'available' });
    await backups.clock.advance(3_600_000);
    expect(await backups.hours()).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'done' } });
  });

  it('copy that is never there fails once its deadline is over', async () => {
    const backups = openBackups();
    backups.cloud.rds.fate = (kind) => ({ minutes: kind === 'copy' ? 100_000 : 5, ends: 'available' });
    expect(await backups.hours()).toMatchObject({ status: 'FAILED', error: 'RecoveryOverdue' });
    expect(backups.clock.now()).toBeLessThan(Date.parse('2026-11-24T08:20:00Z'));
  });

  it('key that cannot be used in the other region fails the copy by its name', async () => {
    const backups = openBackups();
    backups.cloud.rds.region(there).keys.delete(replicaKey);
    expect(await backups.hour()).toMatchObject({ status: 'FAILED', error: 'KMS_KEY_UNUSABLE' });
  });

  it('database that does not exist fails the snapshot, and the point says so', async () => {
    const backups = openBackups();
    backups.cloud.rds.region(region).instances.delete(databaseId);
    expect(await backups.hour()).toMatchObject({ status: 'FAILED', error: 'NotFound' });
    const [point] = await backups.ports.recoveryRecords.newest('point', 1);
    expect(point?.newest).toBeUndefined();
    expect(point?.stores.database.faults).toEqual([`there is no database ${databaseId} in ${region}`]);
  });

  it.each([
    [
      'replication without datapoints',
      (b) => Object.assign(b.cloud, { figures: {} }),
      'objects',
      'has no datapoints',
    ],
    [
      'replication that fails',
      (b) => Object.assign(b.cloud, { figures: { ...b.cloud.figures, failedOperations: 2 } }),
      'objects',
      'of 2 objects failed',
    ],
    [
      'replication that is late',
      (b) => Object.assign(b.cloud, { figures: { ...b.cloud.figures, latencySeconds: 901 } }),
      'objects',
      '901 s behind',
    ],
    [
      'B23: a bucket without versions',
      (b) => Object.assign(b.cloud, { unversioned: ['data'] }),
      'objects',
      'VERSIONING_REQUIRED: bucket data keeps no versions',
    ],
    [
      'a table without a replica',
      (b) => Object.assign(b.cloud.tablesThere, { found: undefined }),
      'table',
      'no continuous backups in us-east-1',
    ],
    [
      'a replica of the table without recovery',
      (b) => Object.assign(b.cloud.tablesThere, { found: { status: 'disabled' } }),
      'table',
      'are disabled',
    ],
    [
      'an object that differs, and whose source differs as well',
      (b) => {
        spoil(b, 'model.bin', 'other');
        for (const uri of b.cloud.home.keys()) if (uri.endsWith('model.bin')) b.cloud.home.set(uri, 'other');
      },
      'objects',
      'was not replaced: the source differs from the record as well',
    ],
    [
      'an object that differs, and whose source is gone',
      (b) => {
        spoil(b, 'model.bin', 'other');
        for (const uri of b.cloud.home.keys()) if (uri.endsWith('model.bin')) b.cloud.home.delete(uri);
      },
      'objects',
      'was not replaced: there is no such object',
    ],
    [
      'an object that is missing at the destination',
      (b) => spoil(b, 'ids.json'),
      'objects',
      'no such object',
    ],
    [
      'a prefix that is empty at the destination',
      (b) => spoil(b, 'entries.jsonl'),
      'objects',
      'nothing is there',
    ],
  ] as readonly Spoilt[])(
    'point with %s can be restored to no moment, and says why',
    async (_, happens, store, why) => {
      const backups = openBackups();
      await backups.cloud.train(backups.ports, 'acme');
      happens(backups);
      await backups.hour();
      const [point] = await backups.ports.recoveryRecords.newest('point', 1);
      expect(point?.newest).toBeUndefined();
      expect(point?.stores[store].faults).toEqual([expect.stringContaining(why)]);
    },
  );

  it('F38: object that differs at the destination is replaced by its source, and the point is whole', async () => {
    const backups = openBackups();
    await backups.cloud.train(backups.ports, 'acme');
    spoil(backups, 'model.bin', 'other');
    await backups.hour();
    const [point] = await backups.ports.recoveryRecords.newest('point', 1);
    const [mended = ''] = point?.objects.mended ?? [];
    expect(point).toMatchObject({ newest: expect.any(String), objects: { read: 6, faults: [] } });
    expect(mended).toMatch(/-replica\/acme\/runs\/r\/train\/1\/model\.bin$/);
    expect(backups.cloud.replica.get(mended)).toBe('model of acme');
    // S3's own job would leave it alone.
    expect(backups.cloud.repairs).toEqual([]);
    expect(backups.cloud.counted).toContainEqual(
      expect.objectContaining({ name: 'ReplicationRepairs', value: 1 }),
    );
    await backups.clock.advance(3_600_000);
    await backups.hour();
    expect((await backups.ports.recoveryRecords.newest('point', 1))[0]?.objects).toMatchObject({ read: 0 });
  });

  it('model that was found whole is not read again', async () => {
    const backups = openBackups();
    await backups.cloud.train(backups.ports, 'acme');
    await backups.hours();
    await backups.clock.advance(3_600_000);
    await backups.hour();
    const [point] = await backups.ports.recoveryRecords.newest('point', 1);
    expect(point?.objects.read).toBe(0);
  });

  it('second delivery of an hour ends as a duplicate, and settings that say off end at once', async () => {
    const backups = openBackups();
    backups.listen();
    const input = { scheduledTime: '2026-11-24T02:10:00Z' };
    const first = await backups.engine.startExecution({ machine: 'backup', input, name: 'a' });
    await backups.clock.advance(1_000);
    const second = await backups.engine.startExecution({ machine: 'backup', input, name: 'b' });
    expect(await backups.until(second.executionArn)).toMatchObject({ output: { outcome: 'duplicate' } });
    await backups.until(first.executionArn);
    expect(await openBackups({ mode: 'off' }).hour()).toMatchObject({ output: { outcome: 'off' } });
  });
});

describe('watchRecovery', () => {
  const watch = async (backups: Bench) => {
    backups.cloud.counted.length = 0;
    await backups.invoke('watchRecovery', {});
    return Object.fromEntries(backups.cloud.counted.map(({ name, value }) => [name, value]));
  };

  it('point is fresh once the heartbeat has arrived, and a drill that passed for eight days', async () => {
    const backups = openBackups();
    expect(await watch(backups)).toEqual({ RecoveryPointsFresh: 0, RestoreDrillsFresh: 0 });
    await backups.invoke('beatStores', {});
    expect(await watch(backups)).toEqual({ RecoveryPointsFresh: 1, RestoreDrillsFresh: 0 });
    const at = new Date(backups.clock.now()).toISOString();
    const began = new Date(backups.clock.now() - 90 * 60_000).toISOString();
    await backups.ports.recoveryRecords.put({
      kind: 'drill',
      id: began,
      passed: true,
      point: began,
      finishedAt: at,
      faults: [],
    });
    expect(await watch(backups)).toMatchObject({ RestoreDrillsFresh: 1 });
    expect(backups.cloud.durations.get('RestoreDrillDuration')).toBe(90 * 60_000);
    await backups.clock.advance(8 * 86_400_000 + 1);
    backups.cloud.followDatabase();
    await backups.invoke('beatStores', {});
    expect(await watch(backups)).toEqual({ RecoveryPointsFresh: 1, RestoreDrillsFresh: 0 });
    // What was measured last stays known, however old it is.
    expect(backups.cloud.durations.get('RestoreDrillDuration')).toBe(90 * 60_000);
    expect(backups.cloud.durations.get('RestoreDrillAge')).toBe(8 * 86_400_000 + 1);
  });

  it.each([
    ['a database that is too far behind', (b: Bench) => b.cloud.followDatabase(61)],
    ['a table that is gone', (b: Bench) => Object.assign(b.cloud.tablesThere, { found: undefined })],
    ['replication without datapoints', (b: Bench) => Object.assign(b.cloud, { figures: {} })],
  ])('point with %s is not fresh', async (_, happens) => {
    const backups = openBackups();
    await backups.invoke('beatStores', {});
    happens(backups);
    expect(await watch(backups)).toMatchObject({ RecoveryPointsFresh: 0 });
  });

  it('point is not fresh when the heartbeat of objects arrived too long ago', async () => {
    const backups = openBackups();
    await backups.invoke('beatStores', {});
    await backups.clock.advance(61 * 60_000);
    backups.cloud.followDatabase();
    expect(await watch(backups)).toMatchObject({ RecoveryPointsFresh: 0 });
  });
});

describe('repair of replication', () => {
  const newest = async ({ ports }: Bench) => (await ports.recoveryRecords.newest('repair', 1))[0];

  it('F38: what was not copied is copied again, once at a time, and how it ended is on record', async () => {
    const backups = openBackups();
    await backups.cloud.train(backups.ports, 'acme');
    spoil(backups, 'model.bin');
    await backups.hour();
    expect(await newest(backups)).toMatchObject({ jobId: 'job-1', state: 'running' });
    await backups.clock.advance(3_600_000);
    await backups.hour();
    expect(backups.cloud.repairs).toEqual(['epsilon-2026-11-24T02']);
    backups.cloud.repair = { state: 'done', objects: 3, failed: 1 };
    await backups.clock.advance(3_600_000);
    await backups.hour();
    expect(await newest(backups)).toMatchObject({ state: 'done', objects: 3, failed: 1 });
    expect(backups.cloud.repairs).toHaveLength(1);
    await backups.clock.advance(6 * 3_600_000);
    await backups.hour();
    expect(backups.cloud.repairs).toHaveLength(2);
  });

  it.each([
    ['nothing is wrong', (_: Bench) => {}],
    ['replication is only late', (b: Bench) => Object.assign(b.cloud.figures, { latencySeconds: 901 })],
    [
      'a bucket keeps no versions, so that nothing can be',
      (b: Bench) => {
        spoil(b, 'model.bin');
        b.cloud.unversioned = ['data'];
      },
    ],
  ])('nothing is repaired where %s', async (_, happens) => {
    const backups = openBackups();
    await backups.cloud.train(backups.ports, 'acme');
    happens(backups);
    await backups.hour();
    expect(backups.cloud.repairs).toEqual([]);
  });

  it('F38: operations that failed are repaired, whatever models name', async () => {
    const backups = openBackups();
    Object.assign(backups.cloud.figures, { failedOperations: 2 });
    await backups.hour();
    expect(backups.cloud.repairs).toHaveLength(1);
  });
});

describe('retention', () => {
  it('machine goes through records and objects, a second delivery ends as a duplicate', async () => {
    const backups = openBackups();
    await backups.cloud.train(backups.ports, 'acme');
    const input = { scheduledTime: '2026-11-24T10:30:00Z' };
    expect(await backups.execute('retention', input)).toMatchObject({
      status: 'SUCCEEDED',
      output: {
        outcome: 'done',
        records: { models: 0, runs: 0, left: 0 },
        objects: { here: 0, there: 0, kept: 0, left: 0 },
      },
    });
    expect(await backups.execute('retention', input)).toMatchObject({ output: { outcome: 'duplicate' } });
    const off = openBackups({ mode: 'off' });
    expect(await off.execute('retention', input)).toMatchObject({ output: { outcome: 'off' } });
  });
});

describe('beatStores', () => {
  const ledger = ({ cloud }: Bench) =>
    Object.fromEntries(
      [...cloud.replica]
        .filter(([uri]) => uri.includes('/recovery/ledger/'))
        .map(([uri, text]) => [uri.split('/').at(-1), JSON.parse(text).n]),
    );

  it('number of the minute is in every store, and in the ledger of the other region once it was acknowledged', async () => {
    const backups = openBackups();
    const n = Math.floor(backups.clock.now() / 60_000);
    expect(await backups.invoke('beatStores', {})).toEqual({
      n,
      acknowledged: ['database', 'objects', 'table'],
      failed: {},
    });
    expect(await backups.ports.recoveryRecords.heartbeat()).toMatchObject({ n });
    expect(backups.cloud.heartbeat).toMatchObject({ n });
    expect(ledger(backups)).toEqual({ 'database.json': n, 'objects.json': n, 'table.json': n });
    // The ledger is written there alone: it would be lost with what it is to outlive.
    expect([...backups.cloud.home.keys()].some((uri) => uri.includes('/ledger/'))).toBe(false);
  });

  it('F36: a store that takes none keeps no other from it, is counted, and the ledger does not have it', async () => {
    const backups = openBackups();
    await backups.invoke('beatStores', {});
    const n = Math.floor(backups.clock.now() / 60_000);
    await backups.clock.advance(60_000);
    const { live } = backups.ports.databaseHeartbeats ?? {};
    if (live) live.beat = () => Promise.reject(new Error('the disk is full'));
    backups.cloud.counted.length = 0;
    expect(await backups.invoke('beatStores', {})).toEqual({
      n: n + 1,
      acknowledged: ['objects', 'table'],
      failed: { database: 'the disk is full' },
    });
    expect(ledger(backups)).toEqual({ 'database.json': n, 'objects.json': n + 1, 'table.json': n + 1 });
    const counted = backups.cloud.counted.map(({ value, dimensions }) => [dimensions, value]);
    expect(counted).toContainEqual([{ store: 'database' }, 0]);
  });

  it('settings that say off write nothing', async () => {
    const backups = openBackups({ mode: 'off' });
    expect(await backups.invoke('beatStores', {})).toEqual({ outcome: 'off' });
    expect(backups.cloud.home.size).toBe(0);
  });
});

type Bench = ReturnType<typeof openBackups>;
type Spoilt = readonly [string, (b: Bench) => void, 'database' | 'table' | 'objects', string];

/** Removes an object at the destination, or puts another one there. */
function spoil({ cloud }: Bench, name: string, content?: string): void {
  const uri = [...cloud.replica.keys()].find((key) => key.endsWith(`/${name}`)) ?? '';
  if (content === undefined) cloud.replica.delete(uri);
  else cloud.replica.set(uri, content);
}
