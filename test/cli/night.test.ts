import { describe, expect, it } from 'vitest';
import { scheduledTimeToRun } from '../../cli/demo/next-night.ts';
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

describe('the night that a demo runs', () => {
  const occurrences = parseSchedule('cron(0 2 * * ? *)', 'UTC');
  const now = Date.parse('2026-11-26T21:00:00Z');
  const run = (...taken: string[]) => scheduledTimeToRun(occurrences, now, new Set(taken));

  it('is the latest of the calendar, and an earlier one when that was run: never one that is to come', () => {
    expect(run()).toBe('2026-11-26T02:00:00.000Z');
    expect(run('2026-11-26T02:00:00.000Z')).toBe('2026-11-25T02:00:00.000Z');
    expect(run('2026-11-26T02:00:00.000Z', '2026-11-25T02:00:00.000Z')).toBe('2026-11-24T02:00:00.000Z');
    expect(run('2026-11-27T02:00:00.000Z')).toBe('2026-11-26T02:00:00.000Z');
  });
});
