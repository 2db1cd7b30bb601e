import { describe, expect, it } from 'vitest';
import { scheduledTimeToRun } from '../../cli/demo/next-night.ts';
import { nightText } from '../../cli/demo/report.ts';
import { nobodyTrained } from '../../cli/nights/night.ts';
import { parseSchedule } from '../../local/schedule/expression.ts';

const tenant = (tenantId: string, over: { status?: 'suspended'; schedule?: 'off' } = {}) => ({
  tenantId,
  status: over.status ?? ('active' as const),
  schedule: over.schedule ?? ('on' as const),
});

describe('a night that trained nobody', () => {
  it.each([
    ['there are no tenants yet.', [], []],
    ['1 tenant, all trained for this date already.', [tenant('a')], ['a']],
    [
      '2 tenants, all trained for this date already.',
      [tenant('a'), tenant('b', { status: 'suspended' })],
      ['a', 'b'],
    ],
    [
      '3 tenants, 1 trained for this date already, 1 suspended, 1 with the schedule off.',
      [tenant('a'), tenant('b', { status: 'suspended' }), tenant('c', { schedule: 'off' })],
      ['a'],
    ],
    ['1 tenant, all suspended.', [tenant('a', { status: 'suspended', schedule: 'off' })], []],
  ])('says: %s', (said, tenants, trained) => {
    expect(nobodyTrained('2026-11-26', tenants, new Set(trained))).toBe(
      `Nobody was trained for 2026-11-26: ${said}`,
    );
  });
});

describe('the end of a night that a demo ran', () => {
  const night = { name: 'n', status: 'SUCCEEDED', stopDate: '2026-11-26T02:10:00.000Z' } as const;
  const at = (time: string) => Date.parse(time);

  it('is told by its time, unless it had ended before', () => {
    const ran = { began: at('2026-11-26T02:09:50Z'), now: at('2026-11-26T02:10:00.5Z'), transitions: 41 };
    expect(nightText(night, ran)).toBe('Night n: SUCCEEDED in 10.5s, 41 transitions.');
    expect(nightText(night, { ...ran, began: at('2026-11-26T03:00:00Z') })).toMatch(
      /^Night n had ended already \(SUCCEEDED, 2026-11-26T02:10:00Z\): nothing was run again\./,
    );
  });
});

describe('the night that a demo runs', () => {
  const occurrences = parseSchedule('cron(0 2 * * ? *)', 'UTC');
  const now = Date.parse('2026-11-26T21:00:00Z');
  const run = (...taken: string[]) => scheduledTimeToRun(occurrences, now, new Set(taken.map(Date.parse)));

  it('is the latest of the calendar, and an earlier one when that was run: never one that is to come', () => {
    expect(run()).toBe('2026-11-26T02:00:00.000Z');
    // As a schedule writes it, without milliseconds.
    expect(run('2026-11-26T02:00:00Z')).toBe('2026-11-25T02:00:00.000Z');
    expect(run('2026-11-26T02:00:00.000Z', '2026-11-25T02:00:00.000Z')).toBe('2026-11-24T02:00:00.000Z');
    expect(run('2026-11-27T02:00:00.000Z')).toBe('2026-11-26T02:00:00.000Z');
  });
});
