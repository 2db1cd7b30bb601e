import { describe, expect, test } from 'vitest';
import { costOfAttempt, ledgerOf } from '../../../lib/cost/ledger.ts';
import { priceAgeNote, priceList } from '../../../lib/cost/prices.ts';
import { unusualCosts } from '../../../lib/cost/unusual.ts';
import { daysUntil, readWork } from '../../../lib/operations/cost/read-work.ts';
import type { Attempt, Run } from '../../../lib/training/run.ts';

const now = Date.parse('2026-11-25T12:00:00Z');

const attemptOf = (over: Partial<Attempt> = {}): Attempt =>
  ({
    runId: 'acme-2026-11-25',
    tenantId: 'acme',
    logicalDate: '2026-11-25',
    stage: 'train',
    attempt: 1,
    status: 'succeeded',
    backend: 'batch',
    capacity: 'spot',
    resources: { cpu: 4, memoryMiB: 8_192 },
    startedAt: '2026-11-25T02:00:00Z',
    finishedAt: '2026-11-25T03:00:00Z',
    ...over,
  }) as Attempt;

const runOf = (tenantId: string, logicalDate = '2026-11-25') =>
  ({ runId: `${tenantId}-${logicalDate}`, tenantId, logicalDate }) as Run;

describe('cost of an attempt', () => {
  test('attempt of an hour on a quarter of a node costs a quarter of its hour, a third of it on spot', () => {
    const onDemand = costOfAttempt(attemptOf({ capacity: 'on-demand' }), now);
    expect(onDemand).toMatchObject({ seconds: 3_600, vcpuSeconds: 14_400, gibSeconds: 28_800 });
    expect(onDemand.usd).toBeCloseTo(0.68 / 4, 9);
    expect(costOfAttempt(attemptOf(), now).usd).toBeCloseTo((0.68 / 4) * priceList.spotShare, 9);
  });

  test('attempt with much memory pays for the memory that others cannot use', () => {
    const { usd } = costOfAttempt(
      attemptOf({ capacity: 'on-demand', resources: { cpu: 1, memoryMiB: 16_384 } }),
      now,
    );
    expect(usd).toBeCloseTo(0.68 / 2, 9);
  });

  test.each([
    ['never started', { startedAt: undefined, status: 'lost' }, 0],
    ['runs still', { finishedAt: undefined, status: 'running' }, 36_000],
    ['is over without an end on record', { finishedAt: undefined, status: 'lost' }, 0],
    ['ended before it started, by another clock', { finishedAt: '2026-11-25T01:59:00Z' }, 0],
    ['has times that are none', { startedAt: 'soon' }, 0],
  ])('attempt that %s held its place for so many seconds', (_, over, seconds) => {
    expect(costOfAttempt(attemptOf(over as Partial<Attempt>), now).seconds).toBe(seconds);
  });
});

describe('ledger', () => {
  const works = [
    {
      run: runOf('acme'),
      attempts: [
        attemptOf({ stage: 'prepare', status: 'failed', resources: { cpu: 1, memoryMiB: 2_048 } }),
        attemptOf({ stage: 'prepare', attempt: 2, resources: { cpu: 1, memoryMiB: 2_048 } }),
        attemptOf(),
      ],
    },
    {
      run: runOf('globex'),
      attempts: [attemptOf({ runId: 'globex-2026-11-25', tenantId: 'globex', capacity: 'on-demand' })],
    },
    { run: runOf('globex', '2026-11-24'), attempts: [] },
  ];

  test('ledger by tenant, stage and day adds up to the same total', () => {
    const sums = (['tenant', 'stage', 'day'] as const).map((by) => {
      const { lines, total } = ledgerOf(works, by, now);
      expect(lines.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(total.usd, 12);
      expect(lines.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(4);
      return total;
    });
    expect(sums[1]).toEqual(sums[0]);
    expect(sums[2]).toEqual(sums[0]);
  });

  test('ledger by tenant begins with the dearest and tells what was repeated', () => {
    const { lines } = ledgerOf(works, 'tenant', now);
    expect(lines.map(({ key, runs }) => [key, runs])).toEqual([
      ['globex', 2],
      ['acme', 1],
    ]);
    expect(lines[1]?.repeatedUsd).toBeCloseTo((0.68 / 16) * priceList.spotShare, 9);
  });

  test('ledger by stage keeps the order of the night, what belongs to no stage last', () => {
    expect(ledgerOf(works, 'stage', now).lines.map(({ key }) => key)).toEqual(['prepare', 'train', '(run)']);
  });

  test('spot saving counts repeats and fallbacks as paid, useful work once', () => {
    const { spot } = ledgerOf(works, 'day', now);
    const node = 0.68;
    const once = node / 16 + node / 4 + node / 4;
    const paid = (2 * (node / 16) + node / 4) * priceList.spotShare + node / 4;
    expect(spot?.onDemandUsd).toBeCloseTo(once, 9);
    expect(spot?.savedShare).toBeCloseTo(1 - paid / once, 9);
  });

  test('ledger of nothing is nothing, without a saving', () => {
    const { lines, total, spot } = ledgerOf([], 'tenant', now);
    expect({ lines, usd: total.usd, spot }).toEqual({ lines: [], usd: 0, spot: undefined });
  });

  test('ledger of a run without attempts has its transitions and calls, about a hundredth of a cent', () => {
    const { total } = ledgerOf([{ run: runOf('acme'), attempts: [] }], 'day', now);
    expect(total.controlUsd).toBeGreaterThan(1e-4);
    expect(total.controlUsd).toBeLessThan(2e-4);
  });
});

describe('reading for the ledger', () => {
  test('work of days is that of their runs, of one tenant where asked', async () => {
    const runs = [runOf('acme'), runOf('globex'), runOf('acme', '2026-11-01')];
    const store = {
      listRuns: async (filter: { logicalDate?: string; tenantId?: string }) =>
        runs.filter(
          (run) =>
            (filter.logicalDate ?? run.logicalDate) === run.logicalDate &&
            (filter.tenantId ?? run.tenantId) === run.tenantId,
        ),
      listAttempts: async () => [attemptOf()],
    };
    const days = daysUntil('2026-11-25', 3);
    expect(days).toEqual(['2026-11-23', '2026-11-24', '2026-11-25']);
    expect((await readWork({ runs: store }, days)).map(({ run }) => run.tenantId)).toEqual([
      'acme',
      'globex',
    ]);
    expect(await readWork({ runs: store }, days, 'acme')).toHaveLength(1);
  });

  test('price list says its age after 90 days', () => {
    const listed = Date.parse(priceList.listedAt);
    expect(priceAgeNote(listed + 90 * 86_400_000)).toBeUndefined();
    expect(priceAgeNote(listed + 91 * 86_400_000)).toContain('prices are 91 days old');
  });
});

describe('unusual costs', () => {
  /** Runs of one tenant, night after night, that took so many hours. */
  const nights = (...hours: number[]) =>
    hours.map((length, night) => {
      const date = `2026-11-${10 + night}`;
      const startedAt = `${date}T02:00:00Z`;
      const finishedAt = new Date(Date.parse(startedAt) + length * 3_600_000).toISOString();
      const run = { ...runOf('acme', date), startedAt, status: 'succeeded' } as Run;
      return { run, attempts: [attemptOf({ startedAt, finishedAt })] };
    });

  test.each([
    [[1, 1.2, 0.9, 1, 6], ['acme-2026-11-14']],
    [[1, 1.2, 0.9, 1, 2.5], []],
    [[1, 1, 6], []],
    [[1, 6, 1, 1, 1], []],
    [[0.001, 0.001, 0.001, 0.01], []],
  ])('nights of %j hours are told as %j', (hours, told) => {
    expect(unusualCosts(nights(...hours), now).map(({ runId }) => runId)).toEqual(told);
  });
});
