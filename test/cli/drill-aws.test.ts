import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { freshDir } from '../fresh-dir.ts';
import { deployedEnvironment, executionArn, s3, sfn } from './aws-harness.ts';

const { epsilon } = deployedEnvironment();

const drill = {
  schemaVersion: 1,
  id: 'drill-0123456789',
  environment: 'dev',
  account: '123456789012',
  region: 'us-east-1',
  verifiedBy: 'epsilon-dev-verifyRestore',
  point: '2026-11-24T02:00:00.000Z',
  times: {
    declaredAt: '2026-11-24T03:00:00.000Z',
    databaseAt: '2026-11-24T04:20:00.000Z',
    tableAt: '2026-11-24T03:40:00.000Z',
    verifiedAt: '2026-11-24T04:24:00.000Z',
    removedAt: '2026-11-24T04:25:00.000Z',
  },
  acknowledged: { table: 107 },
  restored: { table: 104 },
  checks: [{ name: 'records', count: 3, faults: [] as string[] }],
  bytesRead: 4_096,
};

const key = 'recovery/drills/2026-11-24T03-00-00-000Z-drill-0123456789.json';

/** The bucket of the other region holds this record, and an older one that is not looked at. */
function recorded(body: object): void {
  s3.on(ListObjectsV2Command).resolves({
    Contents: [
      { Key: key.replace('11-24', '11-17'), Size: 1, LastModified: new Date(0) },
      { Key: key, Size: 1, LastModified: new Date(0) },
    ],
  });
  s3.on(GetObjectCommand, { Key: key }).resolves({
    Body: { transformToByteArray: async () => Buffer.from(JSON.stringify(body)) } as never,
  });
}

const ran = (status: 'FAILED' | 'SUCCEEDED' | 'RUNNING', startDate: string) =>
  sfn.on(ListExecutionsCommand).resolves({
    executions: [{ executionArn, stateMachineArn: '', name: 'd', status, startDate: new Date(startDate) }],
  });

describe('drill --last on AWS', () => {
  it('judges the newest record of the other region, and makes a page of it', async () => {
    recorded(drill);
    ran('SUCCEEDED', '2026-11-24T02:59:00Z');
    const html = join(freshDir(), 'drill.html');
    const told = await epsilon(['drill', '--last', '--html', html]);
    expect(told).toMatchObject({ code: 0, err: '' });
    expect(told.out).toContain('Passed: drill drill-0123456789');
    expect(told.out).toContain('164 minutes with estimates (goal 240), 84 minutes measured');
    expect(existsSync(html)).toBe(true);
    expect((await epsilon(['drill', '--last', '--json'])).json()).toMatchObject({
      drill: { id: drill.id },
      verdict: { passed: true, lossMinutes: 3 },
    });
  });

  it.each([
    [
      'whose record says so',
      { ...drill, bytesRead: 0 },
      'SUCCEEDED',
      '2026-11-24T02:59:00Z',
      'no byte was read back',
    ],
    [
      'after which one left no record',
      drill,
      'FAILED',
      '2026-12-01T03:00:00Z',
      'ended FAILED and left no record',
    ],
    ['that nobody understands', { ...drill, checks: 'all' }, 'SUCCEEDED', '2026-11-24T02:59:00Z', 'is none'],
  ] as const)('that %s has not passed', async (_, record, status, began, why) => {
    recorded(record);
    ran(status, began);
    const told = await epsilon(['drill', '--last']);
    expect(told.code).toBe(1);
    expect(told.err).toContain('DRILL_NOT_PASSED');
    expect(told.err + told.out).toContain(why);
  });

  it('that was never made has not passed either; one that runs is no fault', async () => {
    expect(await epsilon(['drill', '--last'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no drill is on record'),
    });
    recorded(drill);
    ran('RUNNING', '2026-12-01T03:00:00Z');
    expect(await epsilon(['drill', '--last'])).toMatchObject({ code: 0 });
  });
});
