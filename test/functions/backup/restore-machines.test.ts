import { describe, expect, it } from 'vitest';
import { consumers } from '../../../lib/backup/cloud/consumers.ts';
import { openRestore } from '../../../lib/operations/backup/open-restore.ts';
import { databaseId, there } from '../../aws/recovery-cloud.ts';
import { aBackedUpService, type Bench, restored } from './backed-up-service.ts';

interface Verified {
  readonly id: string;
  readonly digest: string;
  readonly point: string;
  readonly checks: readonly { readonly name: string; readonly count: number }[];
}

describe('restore', () => {
  it('machine restores one moment of all stores, with every setting, and verifies it without any event', async () => {
    const backups = await aBackedUpService();
    const { status, output } = await backups.execute('restore', { to: 'newest' });
    expect(status).toBe('SUCCEEDED');
    const { id, point, checks } = output as Verified;
    const reach = backups.cloud.rds.region(there).backups.get(databaseId)?.RestoreWindow?.LatestTime;
    expect(point).toBe(reach?.toISOString());
    expect(checks.map(({ name }) => name)).toEqual([
      'database',
      'table',
      'records',
      'pointers',
      'export',
      'heartbeat',
    ]);
    expect(restored(backups)).toEqual({ databases: [`${databaseId}-${id}`], tables: [`epsilon-test-${id}`] });
    expect(backups.cloud.rds.region(there).instances.get(`${databaseId}-${id}`)).toMatchObject({
      DBInstanceStatus: 'available',
      MultiAZ: true,
      DeletionProtection: true,
      PubliclyAccessible: false,
      BackupRetentionPeriod: 7,
      DBSubnetGroup: { DBSubnetGroupName: 'landing' },
    });
    expect(backups.cloud.tablesThere.made.get(`epsilon-test-${id}`)).toMatchObject({
      ttlAttribute: 'ttl',
      recoverable: true,
      deletionProtection: true,
    });
  });

  it('restored stores say how far they reach, beside what was acknowledged outside them', async () => {
    const backups = await aBackedUpService();
    const first = await backups.ports.recoveryRecords.heartbeat();
    await backups.clock.advance(7 * 60_000);
    await backups.invoke('beatStores', {});
    backups.cloud.restoredHeartbeat = async () => first;
    const { id } = (await backups.execute('restore', { to: 'newest' })).output as Verified;
    const n = first?.n ?? 0;
    expect((await backups.ports.recoveryRecords.get('restore', id))?.heartbeats).toEqual({
      restored: { database: n, table: n + 7, objects: n + 7 },
      acknowledged: { database: n + 7, table: n + 7, objects: n + 7 },
      lossMinutes: 7,
      skewMinutes: 7,
    });
  });

  it.each([
    ['holds none', async () => undefined, 'database: it holds no heartbeat'],
    ['cannot be read', () => Promise.reject(new Error('no answer')), 'database: no answer'],
  ])('F35: database whose heartbeat %s is not verified', async (_, found, why) => {
    const backups = await aBackedUpService();
    backups.cloud.restoredHeartbeat = found;
    const { status, error, cause } = await backups.execute('restore', { to: 'newest' });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'RESTORE_UNVERIFIED' });
    expect(cause).toContain(why);
  });

  it('promotion fences what was backed up, ends what was under way, and refuses a promotion from before', async () => {
    const backups = await aBackedUpService();
    const before = await backups.ports.models.live('acme');
    const { id, digest } = (await backups.execute('restore', { to: 'newest' })).output as Verified;
    const wrong = await backups.execute('restore', { id, approve: 'another' });
    expect(wrong).toMatchObject({ status: 'FAILED', error: 'RESTORE_NOT_APPROVED' });
    const { output } = await backups.execute('restore', { id, approve: digest });
    expect(output).toMatchObject({
      outcome: 'promoted',
      epoch: 1,
      recovered: { runs: 1, attempts: 1, leases: 1 },
    });
    const stores = backups.cloud.storesOf(`epsilon-test-${id}`);
    expect(await stores.runs.getRun('acme-2026-11-24')).toMatchObject({
      status: 'aborted',
      error: 'LostInRecovery',
    });
    expect(await stores.runs.listOpenAttempts({ shard: 0, shards: 1 })).toEqual([]);
    const late = {
      tenantId: 'acme',
      modelVersion: backups.version,
      at: '2026-11-25T00:00:00Z',
      reason: 'run',
    } as const;
    await stores.models.register({
      ...(await stores.models.get('acme', backups.version)),
      modelVersion: 'later',
    } as never);
    await expect(
      stores.models.promote({ ...late, modelVersion: 'later', fence: (before?.fence ?? 0) + 100 }),
    ).rejects.toMatchObject({ name: 'StaleFence' });
    const lease = await stores.leases.acquire({
      tenantId: 'acme',
      holder: 'new',
      now: '2026-11-25T00:00:00Z',
      expiresAt: '2026-11-25T01:00:00Z',
    });
    expect(lease.fence).toBeGreaterThan(2 ** 32);
    expect(await stores.recoveryRecords.epoch()).toEqual({ epoch: 1 });
    // A home that comes back begins nothing.
    expect(await backups.ports.recoveryRecords.epoch()).toEqual({ epoch: 0, supersededBy: 1 });
    const again = await backups.execute('restore', { id, approve: digest });
    expect(again).toMatchObject({ status: 'SUCCEEDED', output: { epoch: 1 } });
  });

  it('epoch of a second restore is above that of the first, whichever records it is made of', async () => {
    const backups = await aBackedUpService();
    for (const epoch of [1, 2]) {
      const { id, digest } = (await backups.execute('restore', { to: 'newest' })).output as Verified;
      expect(await backups.execute('restore', { id, approve: digest })).toMatchObject({ output: { epoch } });
      backups.cloud.followDatabase();
    }
  });

  it.each([
    ['onto the live database', { to: 'newest', database: databaseId }, 'RESTORE_TARGET_LIVE'],
    ['onto the live table', { to: 'newest', table: 'epsilon-TEST' }, 'RESTORE_TARGET_LIVE'],
    ['onto a database that is there', { to: 'newest', database: 'taken' }, 'RESTORE_TARGET_NOT_EMPTY'],
    ['of a time without a zone', { to: '2026-11-24T02:00:00' }, 'RESTORE_TIME_INVALID'],
    ['of the future', { to: '2099-01-01T00:00:00Z' }, 'RESTORE_POINT_OUT_OF_RANGE'],
    ['from before the first moment', { to: '2020-01-01T00:00:00Z' }, 'RESTORE_POINT_OUT_OF_RANGE'],
    ['of a moment that one store has not yet', { to: '2026-11-24T03:15:00Z' }, 'RESTORE_POINT_OUT_OF_RANGE'],
    ['that nobody began', { id: 'restore-0', approve: 'x' }, 'RESTORE_NOT_FOUND'],
  ])('restore %s is refused before anything is changed', async (_, input, error) => {
    const backups = await aBackedUpService();
    backups.cloud.rds.region(there).instances.set('taken', { DBInstanceIdentifier: 'taken' });
    const calls = backups.cloud.rds.calls.length;
    expect(await backups.execute('restore', input)).toMatchObject({ status: 'FAILED', error });
    const changing = backups.cloud.rds.calls
      .slice(calls)
      .filter(({ command }) => !command.startsWith('Describe'));
    expect(changing).toEqual([]);
    expect(restored(backups).tables).toEqual([]);
  });

  it('of records that this code does not understand is refused before anything is changed', async () => {
    const backups = await aBackedUpService();
    const request = { to: 'newest', drill: false, execution: 'one' };
    await expect(
      openRestore(backups.ports, request, { version: 2, readableFrom: 2, reads: 2 }),
    ).rejects.toMatchObject({ code: 'RESTORE_SCHEMA_OLDER', details: { version: 1, reads: 2 } });
    expect(await backups.ports.recoveryRecords.newest('restore', 9)).toEqual([]);
    expect(restored(backups)).toEqual({ databases: [], tables: [] });
  });

  it.each(['failed', 'incompatible-restore', 'storage-full', 'incompatible-parameters'])(
    'database that comes up %s fails the restore with its word',
    async (ends) => {
      const backups = await aBackedUpService();
      backups.cloud.rds.fate = () => ({ minutes: 30, ends });
      const { status, error, cause } = await backups.execute('restore', { to: 'newest' });
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'RecoveryFailed' });
      expect(cause).toContain(ends);
    },
  );

  it('restore that takes longer than four hours fails', async () => {
    const backups = await aBackedUpService();
    backups.cloud.rds.fate = () => ({ minutes: 100_000, ends: 'available' });
    expect(await backups.execute('restore', { to: 'newest' })).toMatchObject({ error: 'RecoveryOverdue' });
  });

  it('restore waits for a quota, and group that is not in the region fails it by its name', async () => {
    const backups = await aBackedUpService();
    backups.cloud.rds.refuse('RestoreDBInstanceToPointInTime', 'InstanceQuotaExceededFault', 3);
    expect(await backups.execute('restore', { to: 'newest' })).toMatchObject({ status: 'SUCCEEDED' });
    backups.cloud.rds.region(there).groups.clear();
    backups.cloud.followDatabase();
    expect(await backups.execute('restore', { to: 'newest' })).toMatchObject({
      error: 'RESTORE_SETTING_MISSING',
    });
  });
});

describe('promotion', () => {
  const approved = async (backups: Bench) => {
    const { id, digest } = (await backups.execute('restore', { to: 'newest' })).output as Verified;
    const ended = await backups.execute('restore', { id, approve: digest });
    return { id, digest, ended, stores: backups.cloud.storesOf(`epsilon-test-${id}`) };
  };

  it('everything is restored and promoted while nothing of the home region answers', async () => {
    const backups = await aBackedUpService();
    backups.cloud.homeIsLost = true;
    const { ended } = await approved(backups);
    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'promoted' } });
    backups.cloud.followDatabase();
    expect(await backups.execute('restore-drill')).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('names of the old bucket become those of the one that goes on, and every live model is announced again', async () => {
    const backups = await aBackedUpService();
    const { ended, stores } = await approved(backups);
    expect(ended).toMatchObject({ output: { recovered: { moved: 3, models: 1 } } });
    const bucket = `${backups.ports.config.dataBucket}-replica`;
    const [tenant, live] = [await stores.tenants.get('acme'), await stores.models.live('acme')];
    const model = await stores.models.get('acme', backups.version);
    expect(tenant?.documentsUri).toMatch(`s3://${bucket}/`);
    for (const uri of [live?.modelUri, live?.cacheUri, model?.indexUri, model?.dataUri])
      expect(uri).toMatch(`s3://${bucket}/acme/`);
    expect(await stores.models.listUnaligned({ shard: 0, shards: 1 })).toEqual([live]);
    // Of the records that were backed up nothing is changed.
    expect((await backups.ports.models.live('acme'))?.modelUri).toMatch(
      `s3://${backups.ports.config.dataBucket}/`,
    );
  });

  it('scheduled times that were claimed after the moment are claimed again, for the executions that had them', async () => {
    const backups = await aBackedUpService();
    const scheduledTime = '2026-11-24T02:00:00.000Z';
    const claim = { machine: 'nightly-training', scheduledTime };
    backups.cloud.tablesThere.onRestored = (dynamo) => {
      for (const item of dynamo.table.all()) {
        const { pk, sk } = item as Record<'pk' | 'sk', { readonly S: string }>;
        if (pk.S.startsWith('CLAIM#nightly')) dynamo.table.remove({ pk, sk }, {})();
      }
    };
    await backups.ports.claims.claim({
      ...claim,
      holder: 'night',
      now: new Date(backups.clock.now()).toISOString(),
    });
    const { stores, ended } = await approved(backups);
    expect(ended).toMatchObject({ output: { recovered: { claims: 1 } } });
    const late = await stores.claims.claim({ ...claim, holder: 'another', now: '2026-11-24T09:00:00.000Z' });
    expect(late).toEqual({ claimed: false, holder: 'night' });
  });

  it('is over only when every consumer works on the promoted records and a write of each is in them', async () => {
    const backups = await aBackedUpService();
    const { id, digest } = (await backups.execute('restore', { to: 'newest' })).output as Verified;
    backups.cloud.deployed.delete('submitStage');
    const { executionArn } = await backups.engine.startExecution({
      machine: 'restore',
      input: { id, approve: digest },
    });
    await backups.clock.advance(30 * 60_000);
    expect(await backups.ports.recoveryRecords.get('restore', id)).toMatchObject({ state: 'promoted' });
    backups.cloud.deployed.add('submitStage');
    expect(await backups.until(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await backups.ports.recoveryRecords.get('restore', id)).toMatchObject({ state: 'serving' });
    const written = await backups.cloud
      .storesOf(`epsilon-test-${id}`)
      .recoveryRecords.newest('consumer', 100);
    expect(written.map((one) => [one.id, one.epoch])).toEqual(
      [...consumers]
        .sort()
        .reverse()
        .map((name) => [name, 1]),
    );
    expect(await backups.ports.recoveryRecords.get('place', 'current')).toMatchObject({
      epoch: 1,
      restore: id,
      table: `epsilon-test-${id}`,
      database: `${databaseId}-${id}`,
    });
  });

  it('consumers that never come fail the execution by their names, and the promotion stays', async () => {
    const backups = await aBackedUpService();
    backups.cloud.deployed.clear();
    const { id, ended } = await approved(backups);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'RecoveryOverdue' });
    expect(ended.cause).toContain('alignFixedNames is not deployed');
    expect(await backups.ports.recoveryRecords.get('restore', id)).toMatchObject({
      state: 'promoted',
      epoch: 1,
    });
  });

  it('of an earlier restore is refused once a later one goes on', async () => {
    const backups = await aBackedUpService();
    const first = await approved(backups);
    backups.cloud.followDatabase();
    const second = await approved(backups);
    expect(second.ended).toMatchObject({ output: { epoch: 2 } });
    const again = await backups.execute('restore', { id: first.id, approve: first.digest });
    expect(again).toMatchObject({ status: 'FAILED', error: 'RESTORE_OVERTAKEN' });
    expect(await backups.ports.recoveryRecords.get('place', 'current')).toMatchObject({ epoch: 2 });
    expect(await first.stores.recoveryRecords.epoch()).toEqual({ epoch: 1, supersededBy: 2 });
  });

  it('whose epoch is lower than that of home is refused with both, and nothing is changed', async () => {
    const backups = await aBackedUpService();
    const { id, digest, stores } = await approved(backups);
    const { there: tables, name = '' } = backups.ports.tables ?? {};
    await tables?.stores(name).supersede(7);
    const again = await backups.execute('restore', { id, approve: digest });
    expect(again).toMatchObject({ status: 'FAILED', error: 'RESTORE_OVERTAKEN' });
    expect(again.cause).toContain('is of epoch 1, and records of epoch 7 go on');
    expect(await stores.recoveryRecords.epoch()).toEqual({ epoch: 1 });
    expect(await backups.ports.recoveryRecords.get('place', 'current')).toMatchObject({ epoch: 1 });
  });

  it('event of RDS wakes a restore at once; what it says is not believed', async () => {
    const minutesUntilRestored = async (listens: boolean) => {
      const backups = await aBackedUpService();
      backups.cloud.rds.fate = () => ({ minutes: 33, ends: 'available' });
      backups.cloud.tablesThere.minutes = 5;
      if (listens) backups.listen();
      const began = backups.clock.now();
      await backups.execute('restore', { to: 'newest' });
      return (backups.clock.now() - began) / 60_000;
    };
    expect(await minutesUntilRestored(true)).toBeLessThan(await minutesUntilRestored(false));
    const backups = await aBackedUpService();
    expect(await backups.invoke('wakeRestore', { detail: { SourceIdentifier: 'of-nobody' } })).toEqual({
      woken: 0,
    });
  });
});
