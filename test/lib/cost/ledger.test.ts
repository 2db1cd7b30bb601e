import { describe, expect, test } from 'vitest';
import { costOfAttempt, trainingTypes } from '../../../lib/cost/attempt-cost.ts';
import { ledgerOf } from '../../../lib/cost/ledger.ts';
import { shapeOf } from '../../../lib/cost/nodes.ts';
import { instancePrices, priceAgeNote, priceList } from '../../../lib/cost/prices.ts';
import { unusualCosts } from '../../../lib/cost/unusual.ts';
import { daysUntil, readWork } from '../../../lib/operations/cost/read-work.ts';
import type { Attempt, Run } from '../../../lib/training/run.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';

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

describe('price of an attempt', () => {
  const prices = {
    ...instancePrices,
    instanceHour: { 'c5.4xlarge': 0.8, 'm5.4xlarge': 1.6 },
    spotHour: {
      'c5.4xlarge': {
        'us-west-2a': { '2026-11-25': 0.2, '2026-11-26': 0.4 },
        'us-west-2b': { '2026-11-25': 0.6 },
      },
      'm5.4xlarge': { 'us-west-2a': { '2026-11-25': 0.4 } },
    },
  };
  const place = (instanceType: string, zone = 'us-west-2a') => ({ instanceType, zone });
  const costs = (over: Partial<Attempt>) => costOfAttempt(attemptOf(over), now, prices);

  test.each([
    ['in its zone', place('c5.4xlarge'), 0.2 / 4],
    ['in another zone', place('c5.4xlarge', 'us-west-2b'), 0.6 / 4],
    ['in a zone that is not listed: all zones on average', place('c5.4xlarge', 'us-west-2d'), 0.4 / 4],
    ['in a zone nobody knows', undefined, 0.4 / 4],
    ['of a larger type, of which it takes the same part', place('m5.4xlarge'), 0.4 / 4],
  ])('attempt on spot pays the price of its type and day %s', (_, at, usd) => {
    const cost = costs(at ? { place: at } : {});
    expect(cost.usd).toBeCloseTo(usd, 9);
    expect(cost.assumedUsd).toBe(0);
  });

  test('attempt over midnight pays each day its own price', () => {
    const times = { startedAt: '2026-11-25T23:00:00Z', finishedAt: '2026-11-26T02:00:00Z' };
    const { usd } = costs({ place: place('c5.4xlarge'), ...times });
    expect(usd).toBeCloseTo((0.2 + 2 * 0.4) / 4, 9);
  });

  test.each([
    ['another size of a listed family, by the vCPU', 'c5.9xlarge', 0.8 / 4],
    ['a family without a price: as the reference node', 'c7g.4xlarge', 0.8 / 4],
    ['a type that nobody knows', 'constructor.large', 0.8 / 4],
    ['no type at all', '', 0.8 / 4],
  ])('attempt on %s has a price, on spot by the assumed part', (_, instanceType, onDemand) => {
    const cost = costs({ place: place(instanceType, 'us-west-2z') });
    expect(cost.onDemandUsd).toBeCloseTo(onDemand, 9);
    expect(cost.usd).toBeGreaterThan(0);
    if (instanceType === 'c5.9xlarge') expect(cost.assumedUsd).toBeCloseTo(cost.usd, 9);
  });

  test('attempt on-demand assumes nothing', () => {
    expect(costs({ capacity: 'on-demand', place: place('m5.4xlarge') })).toMatchObject({
      usd: expect.closeTo(1.6 / 4, 9),
      assumedUsd: 0,
    });
  });

  test.each([
    ['t3.large', undefined],
    ['c5.large', { vcpus: 2, memoryMiB: 4_096 }],
    ['m6i.xlarge', { vcpus: 4, memoryMiB: 16_384 }],
    ['r5.2xlarge', { vcpus: 8, memoryMiB: 65_536 }],
    ['c5.metal', undefined],
    ['c5.4large', undefined],
  ])('shape of %s', (type, shape) => {
    expect(shapeOf(type)).toEqual(shape);
  });
});

describe('storage of an attempt', () => {
  const gib = 2 ** 30;
  const month = priceList.hoursPerMonth * 3_600_000;

  test('what it left costs since its end, what it used of a disk while it ran', () => {
    const end = Date.parse('2026-11-25T03:00:00Z');
    const { storageUsd, storedBytes } = costOfAttempt(
      attemptOf({ result: { outputBytes: 10 * gib } }),
      end + month,
    );
    expect(storedBytes).toBe(10 * gib);
    const disk = (1 / priceList.hoursPerMonth) * (1 / 4) * 100 * priceList.month.nodeGiB;
    expect(storageUsd).toBeCloseTo(10 * priceList.month.objectGiB + disk, 9);
  });

  test.each([[-1], [1.5], [Number.NaN], [1e300], ['12'], [null], [undefined]])(
    'attempt that says it left %j is not measured',
    (outputBytes) => {
      const attempt = attemptOf({ result: { outputBytes } });
      expect(costOfAttempt(attempt, now).storedBytes).toBeUndefined();
      expect(ledgerOf([{ run: runOf('acme'), attempts: [attempt] }], 'tenant', now)).toMatchObject({
        unmeasured: 1,
        total: { storedGiB: 0 },
      });
    },
  );

  test('training types are those of every environment, and each has a price', () => {
    for (const environment of ['dev', 'staging', 'prod']) {
      const { nodeGroups } = readYaml(`infra/config/infrastructure/${environment}.yml`) as {
        nodeGroups: Record<'training_spot' | 'training_on_demand', { instanceTypes: string[] }>;
      };
      const { training_spot: spot, training_on_demand: onDemand } = nodeGroups;
      expect([spot.instanceTypes, onDemand.instanceTypes]).toEqual([[...trainingTypes], [...trainingTypes]]);
    }
    for (const type of trainingTypes) expect(instancePrices.instanceHour[type]).toBeGreaterThan(0);
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
