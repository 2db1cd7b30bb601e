import { describe, expect, it } from 'vitest';
import { type CloudDrill, cloudDrillKey, judgeCloudDrill } from '../../../../lib/backup/cloud/drill.ts';
import { cloudDrillPage } from '../../../../lib/backup/cloud/drill-page.ts';
import { renderReport } from '../../../../lib/reports/report.ts';

const drill: CloudDrill = {
  schemaVersion: 1,
  id: 'drill-0123456789',
  environment: 'prod',
  account: '123456789012',
  region: 'us-east-1',
  verifiedBy: 'epsilon-prod-verifyRestore',
  point: '2026-11-24T02:00:00.000Z',
  times: {
    declaredAt: '2026-11-24T03:00:00.000Z',
    databaseAt: '2026-11-24T04:20:00.000Z',
    tableAt: '2026-11-24T03:40:00.000Z',
    verifiedAt: '2026-11-24T04:24:00.000Z',
    removedAt: '2026-11-24T04:25:00.000Z',
  },
  acknowledged: { database: 100, table: 107, objects: 107 },
  restored: { database: 100, table: 104, objects: 107 },
  checks: [{ name: 'records', count: 3, faults: [] }],
  bytesRead: 4_096,
};

const { verifiedAt: _, ...unverified } = drill.times;

describe('the verdict on a drill on AWS', () => {
  it('has the time with the estimated steps, and the loss of the worst store', () => {
    expect(judgeCloudDrill(drill)).toEqual({
      passed: true,
      reasons: [],
      measuredMinutes: 84,
      recoveryMinutes: 164,
      lossMinutes: 3,
    });
  });

  it.each<[string, Partial<CloudDrill>, string]>([
    ['broke off', { error: 'RecoveryFailed: storage-full' }, 'RecoveryFailed: storage-full'],
    ['was not verified', { times: unverified }, 'it did not come to the verification'],
    ['checked nothing', { checks: [] }, 'nothing was checked'],
    [
      'looked at nothing',
      { checks: [{ name: 'pointers', count: 0, faults: [] }] },
      'pointers: nothing was looked at',
    ],
    ['found a fault', { checks: [{ name: 'table', count: 1, faults: ['it is gone'] }] }, 'table: it is gone'],
    ['read nothing back', { bytesRead: 0 }, 'no byte was read back'],
    [
      'took too long',
      {
        times: {
          ...drill.times,
          verifiedAt: '2026-11-24T06:00:00.000Z',
          removedAt: '2026-11-24T07:00:00.000Z',
        },
      },
      'it took 260 minutes; 240 are allowed',
    ],
    ['lost more than an hour', { acknowledged: { table: 165 } }, '61 minutes were lost; 60 are allowed'],
    [
      'held nothing against the ledger',
      { acknowledged: {} },
      'no store was held against what it had acknowledged',
    ],
    [
      'says that it ended before it began',
      { times: { ...drill.times, removedAt: '2026-11-24T02:00:00.000Z' } },
      'its steps are not in the order of their times',
    ],
  ])('that %s is not passed', (_what, change, reason) => {
    const { passed, reasons } = judgeCloudDrill({ ...drill, ...change });
    expect({ passed, reasons }).toEqual({ passed: false, reasons: [reason] });
  });

  it('is a page, with what was measured beside what is estimated, and no text as markup', () => {
    const hostile = { ...drill, error: '<script>alert(1)</script>' };
    const page = renderReport(cloudDrillPage(hostile, judgeCloudDrill(hostile)));
    expect(page).toContain('Estimated: what a drill does not go through');
    expect(page).toContain('not passed');
    expect(page).not.toContain('<script>alert');
    expect(cloudDrillKey(drill)).toBe('recovery/drills/2026-11-24T03-00-00-000Z-drill-0123456789.json');
  });
});
