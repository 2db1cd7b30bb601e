import { describe, expect, it } from 'vitest';
import { outcomeOfJob } from '../../../lib/training/attempts/outcome.ts';
import { dueTenants } from '../../../lib/training/nights/due-tenants.ts';
import { checkLogicalDate, logicalDateOf } from '../../../lib/training/nights/logical-date.ts';
import { judgeNight, outcomeOf, unjudgedError } from '../../../lib/training/nights/night.ts';
import { nightDate, nightSuffix } from '../../../lib/training/nights/night-input.ts';
import type { RunStatus } from '../../../lib/training/run.ts';
import { aRun, aTenant } from '../../fixtures/records.ts';

describe('dueTenants', () => {
  it('takes active, scheduled tenants without a succeeded run for the date', () => {
    const tenants = [
      aTenant({ tenantId: 'zeta' }),
      aTenant({ tenantId: 'urgent', priority: 90 }),
      aTenant({ tenantId: 'off', schedule: 'off' }),
      aTenant({ tenantId: 'gone', status: 'suspended' }),
      aTenant({ tenantId: 'done' }),
      aTenant({ tenantId: 'again' }),
    ];
    const runs = [
      aRun({ tenantId: 'done', status: 'succeeded' }),
      aRun({ tenantId: 'again', status: 'failed' }),
      aRun({ tenantId: 'zeta', status: 'succeeded', logicalDate: '2026-11-23' }),
    ];

    const due = dueTenants(tenants, runs, '2026-11-24');

    expect(due.map((tenant) => tenant.tenantId)).toEqual(['zeta', 'urgent', 'again']);
  });
});

describe('judgeNight', () => {
  const night = (outcomes: RunStatus[]) =>
    judgeNight(
      outcomes.map((_, index) => `t${index}`),
      outcomes.map((status, index) => aRun({ tenantId: `t${index}`, runId: `r${index}`, status })),
      0.95,
    );

  it.each([
    [
      '95 of 100 is not more than 95 %',
      [...Array(95).fill('succeeded'), ...Array(5).fill('failed')],
      false,
      0.95,
    ],
    ['96 of 100 is', [...Array(96).fill('succeeded'), ...Array(4).fill('failed')], true, 0.96],
    ['skipped and busy stand in neither term', ['succeeded', 'skipped', 'busy'], true, 1],
    [
      'a run still on record as running after the map is over has failed',
      ['running', 'succeeded'],
      false,
      0.5,
    ],
    ['an aborted and a timed-out run have failed', ['aborted', 'timed-out'], false, 0],
    ['nothing to judge is met, without a rate', ['skipped'], true, null],
    ['an empty night is met', [], true, null],
  ] as [string, RunStatus[], boolean, number | null][])('%s', (_, outcomes, met, rate) => {
    expect(night(outcomes)).toMatchObject({ met, rate });
  });

  it('counts a tenant without a run as not started, which the tenant did not cause', () => {
    expect(judgeNight(['ghost'], [], 0.95)).toMatchObject({
      met: false,
      rate: 0,
      failed: [],
      notStarted: ['ghost'],
      counts: { failed: 0, notStarted: 1 },
    });
  });

  it.each([
    [11, 200, false],
    [10, 100, true],
    [10, 11, true],
    [11, 220, true],
    [11, 219, false],
  ])('%i of %i skipped for want of a verdict: met is %s', (unjudged, due, met) => {
    const ids = Array.from({ length: due }, (_, index) => `t${index}`);
    const runs = ids.map((tenantId, index) =>
      index < unjudged
        ? aRun({ tenantId, runId: tenantId, status: 'skipped', error: unjudgedError })
        : aRun({ tenantId, runId: tenantId, status: 'succeeded' }),
    );
    expect(judgeNight(ids, runs, 0.95)).toMatchObject({
      met,
      checkFailed: !met,
      unjudged: ids.slice(0, unjudged),
      counts: { skipped: unjudged },
    });
  });

  it('does not blame the checks for tenants whose data is bad', () => {
    const ids = Array.from({ length: 20 }, (_, index) => `t${index}`);
    const runs = ids.map((tenantId) => aRun({ tenantId, runId: tenantId, status: 'skipped' }));
    expect(judgeNight(ids, runs, 0.95)).toMatchObject({ met: true, unjudged: [], checkFailed: false });
  });

  it('lets one success of the date win over a later failure', () => {
    const runs = [
      aRun({ runId: 'a', status: 'succeeded', startedAt: '2026-11-24T02:00:00.000Z' }),
      aRun({ runId: 'b', status: 'failed', startedAt: '2026-11-24T03:00:00.000Z' }),
    ];
    expect(outcomeOf(runs)).toBe('succeeded');
  });
});

describe('outcomeOfJob', () => {
  it.each([
    [{ state: 'succeeded', exitCode: 0 }, 'succeeded', undefined],
    [{ state: 'succeeded', exitCode: 0, resultFault: 'RESULT_MISSING: none' }, 'rejected', 'JobRejected'],
    [{ state: 'failed', reason: 'error', exitCode: 1 }, 'failed', 'JobFailed'],
    [{ state: 'failed', reason: 'error', exitCode: 63 }, 'failed', 'JobFailed'],
    [{ state: 'failed', reason: 'error', exitCode: 64 }, 'rejected', 'JobRejected'],
    [{ state: 'failed', reason: 'error', exitCode: 75 }, 'failed', 'JobFailed'],
    [{ state: 'failed', reason: 'error', exitCode: 78 }, 'rejected', 'JobRejected'],
    [{ state: 'failed', reason: 'error', exitCode: 79 }, 'failed', 'JobFailed'],
    [{ state: 'failed', reason: 'preempted', exitCode: 143 }, 'preempted', 'JobPreempted'],
    [{ state: 'failed', reason: 'unplaceable' }, 'preempted', 'JobPreempted'],
    [{ state: 'failed', reason: 'lost' }, 'lost', 'JobLost'],
    [{ state: 'failed', reason: 'cancelled', exitCode: 143 }, 'cancelled', 'JobCancelled'],
    [{ state: 'failed', reason: 'timeout' }, 'failed', 'JobFailed'],
    [{ state: 'failed', reason: 'unstartable' }, 'failed', 'JobCannotStart'],
    [{ state: 'failed', reason: 'unstartable', exitCode: 128 }, 'failed', 'JobCannotStart'],
  ] as const)('classifies %j as %s', (job, status, error) => {
    const outcome = outcomeOfJob(job);
    expect(outcome.status).toBe(status);
    expect(outcome.error).toBe(error);
  });

  it("prefers the job's own words for the cause", () => {
    const result = {
      error: { code: 'DATA_TOO_FEW_DOCUMENTS', message: '3 usable documents, 10 are needed' },
    };
    const { cause } = outcomeOfJob({
      state: 'failed',
      reason: 'error',
      exitCode: 65,
      message: 'exit 65',
      result,
    });
    expect(cause).toBe('DATA_TOO_FEW_DOCUMENTS: 3 usable documents, 10 are needed');
  });
});

describe('logical dates', () => {
  it('are the UTC date of the scheduled time, whatever its offset', () => {
    expect(logicalDateOf('2026-11-24T02:00:00Z')).toBe('2026-11-24');
    expect(logicalDateOf('2026-11-24T00:30:00+02:00')).toBe('2026-11-23');
  });

  it.each(['', 'yesterday', '2026-02-30T02:00:00Z', '24.11.2026'])('refuse %j as a time', (text) => {
    expect(() => logicalDateOf(text)).toThrow(expect.objectContaining({ code: 'DATE_OUT_OF_RANGE' }));
  });

  it.each(['2026-02-30', '2026-2-3', 'today'])('refuse %j as a date', (text) => {
    expect(() => checkLogicalDate(text)).toThrow(expect.objectContaining({ code: 'DATE_OUT_OF_RANGE' }));
  });

  it("take the operator's date over the scheduled time, and today when neither is given", () => {
    const now = Date.parse('2026-11-24T10:00:00Z');
    expect(nightDate({ logicalDate: '2026-11-20', scheduledTime: '2026-11-24T02:00:00Z' }, now)).toBe(
      '2026-11-20',
    );
    expect(nightDate({}, now)).toBe('2026-11-24');
  });

  it("refuse an operator's date that has begun nowhere on earth yet", () => {
    const now = Date.parse('2026-11-24T10:00:00Z');
    expect(nightDate({ logicalDate: '2026-11-25' }, now)).toBe('2026-11-25');
    expect(() => nightDate({ logicalDate: '2026-11-26' }, now)).toThrow(
      expect.objectContaining({
        code: 'DATE_OUT_OF_RANGE',
        message: expect.stringContaining('latest: 2026-11-25'),
      }),
    );
  });
});

describe('nightSuffix', () => {
  it("is empty for the schedule's first round and tells every other round and operator's night apart", () => {
    const all = [
      nightSuffix({ trigger: 'schedule', name: 'n', round: 0, epoch: 0 }),
      nightSuffix({ trigger: 'schedule', name: 'n', round: 1, epoch: 0 }),
      nightSuffix({ trigger: 'manual', name: 'n', round: 0, epoch: 0 }),
      nightSuffix({ trigger: 'manual', name: 'm', round: 0, epoch: 0 }),
      nightSuffix({ trigger: 'manual', name: 'm', round: 1, epoch: 0 }),
    ];
    expect(all[0]).toBe('');
    expect(new Set(all).size).toBe(all.length);
  });
});
