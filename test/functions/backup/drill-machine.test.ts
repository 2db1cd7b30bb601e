import { describe, expect, it } from 'vitest';
import { type CloudDrill, cloudDrillSchema, judgeCloudDrill } from '../../../lib/backup/cloud/drill.ts';
import { there } from '../../aws/recovery-cloud.ts';
import { aBackedUpService, type Bench, emptied, lose, restored } from './backed-up-service.ts';

/** The record of a drill, as the other region has it. */
function drillAt({ cloud }: Bench, uri: string): CloudDrill {
  return cloudDrillSchema.parse(JSON.parse(Buffer.from(cloud.replica.get(uri) ?? '').toString()));
}

describe('restore-drill', () => {
  it('drill restores, verifies, removes what it made, and is on record', async () => {
    const backups = await aBackedUpService();
    const ended = await backups.execute('restore-drill');
    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'passed' } });
    expect(restored(backups)).toEqual({ databases: [], tables: [] });
    expect(await backups.ports.recoveryRecords.newest('drill', 1)).toMatchObject([
      { passed: true, faults: [] },
    ]);
    const [{ id = '', digest = '' } = {}] = await backups.ports.recoveryRecords.newest('restore', 1);
    expect(await backups.execute('restore', { id, approve: digest })).toMatchObject({
      error: 'RESTORE_NOT_APPROVED',
    });
  });

  it('drill leaves a record in the other region from which its verdict is computed', async () => {
    const backups = await aBackedUpService();
    const { file } = (await backups.execute('restore-drill')).output as { readonly file: string };
    const drill = drillAt(backups, file);
    const { declaredAt, databaseAt = '', tableAt = '', verifiedAt = '', removedAt } = drill.times;
    expect([declaredAt, databaseAt, verifiedAt, removedAt].toSorted()).toEqual([
      declaredAt,
      databaseAt,
      verifiedAt,
      removedAt,
    ]);
    expect(tableAt > declaredAt && databaseAt > declaredAt).toBe(true);
    expect(drill).toMatchObject({ account: '123456789012', region: there });
    expect(drill.bytesRead).toBeGreaterThan(0);
    expect(judgeCloudDrill(drill)).toMatchObject({ passed: true, reasons: [], lossMinutes: 0 });
  });

  it('drill that is closed twice, because the first answer was lost, has passed once and for all', async () => {
    const backups = await aBackedUpService();
    const { file, id } = (await backups.execute('restore-drill')).output as Record<'file' | 'id', string>;
    const { times } = drillAt(backups, file);
    const stores = [
      { resource: `${there}/db/x`, at: times.databaseAt },
      { resource: `${there}/table/x`, at: times.tableAt },
    ];
    expect(await backups.invoke('closeDrill', { id, stores })).toMatchObject({ outcome: 'passed', file });
    expect(await backups.ports.recoveryRecords.newest('drill', 9)).toMatchObject([{ passed: true }]);
    expect(judgeCloudDrill(drillAt(backups, file))).toMatchObject({ passed: true });
  });

  it.each([
    ['the tenants are missing', (b: Bench) => emptied(b, 'TENANTS'), 'records: nothing was checked'],
    ['a live model is not registered', (b: Bench) => emptied(b, 'MODEL#'), 'is not registered'],
    ['nothing was restored at all', (b: Bench) => emptied(b, ''), 'nothing was checked'],
    ['an object is gone', (b: Bench) => void lose(b, 'model.bin'), 'nothing readable is at'],
    ['a prefix is empty', (b: Bench) => void lose(b, 'entries.jsonl'), 'nothing readable is at'],
    ['the export has not arrived', (b: Bench) => void lose(b, '.json'), 'export: nothing was checked'],
  ])('drill in which %s fails, says so, and leaves nothing', async (_, happens, why) => {
    const backups = await aBackedUpService();
    happens(backups);
    expect(await backups.execute('restore-drill')).toMatchObject({
      status: 'FAILED',
      error: 'RecoveryFailed',
    });
    const [drill] = await backups.ports.recoveryRecords.newest('drill', 1);
    expect(drill).toMatchObject({ passed: false, faults: [expect.stringContaining(why)] });
    const [file = ''] = [...backups.cloud.replica.keys()].filter((uri) => uri.includes('/recovery/drills/'));
    const { passed, reasons } = judgeCloudDrill(drillAt(backups, file));
    expect({ passed, reasons: reasons.join('; ') }).toEqual({
      passed: false,
      reasons: expect.stringContaining(why),
    });
    expect(restored(backups)).toEqual({ databases: [], tables: [] });
  });

  it('drill removes what one before it left that broke off', async () => {
    const backups = await aBackedUpService();
    const { executionArn } = await backups.engine.startExecution({ machine: 'restore-drill', input: {} });
    await backups.clock.advance(60_000);
    await backups.engine.stopExecution(executionArn, { error: 'Stopped', cause: 'by the test' });
    expect(restored(backups).databases).toHaveLength(1);
    await backups.execute('restore-drill');
    expect(restored(backups)).toEqual({ databases: [], tables: [] });
  });
});
