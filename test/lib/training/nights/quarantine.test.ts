import { describe, expect, it } from 'vitest';
import { dayBefore } from '../../../../lib/training/nights/logical-date.ts';
import { isQuarantined, quarantineAfter, suspectsOf } from '../../../../lib/training/nights/quarantine.ts';
import type { RunStatus } from '../../../../lib/training/run.ts';
import { planned } from '../../../fixtures/nights.ts';
import { aRun, aTenant } from '../../../fixtures/records.ts';

/** Runs of the nights before 2026-11-24, newest first; several statuses of one night are runs of one date. */
const nights = (...statuses: (RunStatus | RunStatus[])[]) =>
  statuses.flatMap((night, ago) =>
    [night]
      .flat()
      .map((status, index) =>
        aRun({ runId: `r${ago}-${index}`, logicalDate: `2026-11-${23 - ago}`, status }),
      ),
  );

describe('a tenant is put in quarantine', () => {
  it.each<[string, ReturnType<typeof nights>, boolean]>([
    ['after three nights of failure', nights('failed', 'timed-out', 'failed'), true],
    ['not after two', nights('failed', 'failed'), false],
    ['not when one of the three succeeded', nights('failed', 'succeeded', 'failed', 'failed'), false],
    ['not when a second run of a date succeeded', nights(['failed', 'succeeded'], 'failed', 'failed'), false],
    ['whatever was before', nights('failed', 'failed', 'failed', 'succeeded'), true],
    [
      'nights on which it was skipped left out',
      nights('failed', 'skipped', 'failed', 'busy', 'failed'),
      true,
    ],
    ['not for what an operator stopped', nights('aborted', 'failed', 'failed'), false],
    ['not for runs that are still under way', nights('running', 'failed', 'failed'), false],
  ])('%s', (_, runs, expected) => {
    expect(isQuarantined(runs, '2026-11-24')).toBe(expected);
  });

  it('quarantine does not count the date that is due, so a redriven night decides the same', () => {
    const today = aRun({ runId: 'today', status: 'succeeded' });
    expect(isQuarantined([today, ...nights('failed', 'failed', 'failed')], '2026-11-24')).toBe(true);
  });
});

describe('suspects', () => {
  const failed = (count: number) =>
    Array.from({ length: count }, (_, index) => aRun({ tenantId: `t${index % 300}`, runId: `r${index}` }));
  it('suspects are the tenants that failed, each once', () => {
    expect(suspectsOf([...failed(3), ...failed(3)], 1000)).toEqual(['t0', 't1', 't2']);
  });

  it('suspects are none when so many failed that the night itself was at fault', () => {
    expect(suspectsOf(failed(100), 1000)).toHaveLength(100);
    expect(suspectsOf(failed(101), 1000)).toEqual([]);
    expect(suspectsOf(failed(10), 12)).toHaveLength(10);
    expect(suspectsOf(failed(11), 12)).toEqual([]);
  });
});

it('a tenant in quarantine goes last, behind every other tenant, whatever its priority', () => {
  const tenants = ['a', 'b', 'c'].map((tenantId) =>
    aTenant({ tenantId, priority: tenantId === 'b' ? 100 : 5 }),
  );
  const order = (last: string[]) => planned({ due: tenants, last: new Set(last) }).order;
  expect(order([])).toEqual(['b', 'a', 'c']);
  expect(order(['b'])).toEqual(['a', 'c', 'b']);
  expect(order(['a', 'b', 'c'])).toEqual(['b', 'a', 'c']);
  expect(quarantineAfter).toBe(3);
});

it('the previous day is right across months and leap years', () => {
  expect(dayBefore('2026-11-01')).toBe('2026-10-31');
  expect(dayBefore('2028-03-01')).toBe('2028-02-29');
});
