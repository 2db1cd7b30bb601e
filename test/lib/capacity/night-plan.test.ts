import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationsFrom } from '../../../lib/capacity/durations.ts';
import { forecastText } from '../../../lib/capacity/forecast-text.ts';
import { type CourseFacts, courseOf } from '../../../lib/capacity/night-course.ts';
import { prewarmOf } from '../../../lib/capacity/prewarm.ts';
import type { Tenant } from '../../../lib/tenants/tenant.ts';
import { nightOf, nightSettings, planned } from '../../fixtures/nights.ts';
import { aRun, aTenant } from '../../fixtures/records.ts';

const many = (count: number, over: Partial<Tenant> = {}) =>
  Array.from({ length: count }, (_, index) =>
    aTenant({
      tenantId: `${over.backend ?? 'batch'}-${String(index).padStart(5, '0')}`,
      backend: 'batch',
      ...over,
    }),
  );
const onDemand = { capacity: { spotAllowed: false } };

/** Runs of which each was measured: training takes the given seconds, the other stages a minute each. */
const measured = (train: Readonly<Record<string, number>>) =>
  durationsFrom(
    Object.entries(train).map(([tenantId, seconds]) =>
      aRun({
        tenantId,
        status: 'succeeded',
        stageSeconds: { prepare: 60, train: seconds, index: 60, deploy: 60, cache: 60 },
      }),
    ),
  );

describe('planNight: how many at a time', () => {
  it('planNight fills the queue by what runs ask for on average, and no more than wait bearably', () => {
    const due = many(400);
    const train = Object.fromEntries(due.map(({ tenantId }, at) => [tenantId, 1_800 + 9 * at]));
    const { maxConcurrency, limitedBy } = planned({ due, durations: measured(train) });
    // 3.4 vCPU on average over a run fill it with 235; a fifth less to twice as many are tried.
    expect(maxConcurrency).toBeGreaterThan(180);
    expect(maxConcurrency).toBeLessThanOrEqual(400);
    expect(limitedBy).toBe('batch/spot');
  });

  it.each<[string, Parameters<typeof planned>[0], number, string]>([
    ['is never more than the setting', { due: many(999), training: { maxConcurrency: 50 } }, 50, 'setting'],
    [
      'is the setting where a queue’s size is not known',
      { due: many(9, { backend: 'local' }), training: { maxConcurrency: 4 } },
      4,
      'setting',
    ],
    ['is the setting for an empty night', { due: [], training: { maxConcurrency: 7 } }, 7, 'setting'],
    ['is no more than there are tenants', { due: many(3) }, 3, 'tenants'],
    [
      'is one where a single run fills everything',
      { due: many(5), queueSize: { batchSpotVcpus: 4 } },
      1,
      'batch/spot',
    ],
  ])('planNight’s number of runs at a time %s', (_, facts, maxConcurrency, limitedBy) => {
    expect(planned(facts)).toMatchObject({ maxConcurrency, limitedBy });
  });

  it('planNight does not let a small queue that many tenants use keep a large one idle', () => {
    const due = [...many(500), ...many(500, { backend: 'eks', ...onDemand })];
    const { maxConcurrency } = planned({ due, queueSize: { eksOnDemandVcpus: 20 } });
    expect(maxConcurrency).toBeGreaterThan(200);
  });
});

describe('planNight: the forecast', () => {
  it('planNight says how many of a night are on time, how much capacity is missing, and that this is enough', () => {
    const { forecast } = planned({ due: many(2_000) });
    expect(forecast.tenants).toBe(2_000);
    // 800 vCPU do the work of 990 runs in six hours.
    expect(forecast.onTime).toBeGreaterThan(550);
    expect(forecast.onTime).toBeLessThan(990);
    expect(forecast.late).toHaveLength(2_000 - forecast.onTime);
    const more = forecast.missingVcpus['batch/spot'] ?? 0;
    expect(more).toBeGreaterThan(200);
    expect(forecastText(forecast)).toMatch(
      /^\d\d\d of 2,000 tenants by 08:00 UTC; needs [\d,]+ vCPU more in batch\/spot; the last one ends about 1\d:\d\d UTC$/,
    );
    expect(planned({ due: many(2_000), queueSize: { batchSpotVcpus: 800 + more } }).forecast.late).toEqual(
      [],
    );
    expect(
      planned({ due: many(2_000), queueSize: { batchSpotVcpus: 800 + Math.floor(more / 2) } }).forecast.late,
    ).not.toEqual([]);
  });

  it('planNight names the setting when it is what holds a night back', () => {
    const { forecast } = planned({ due: many(400), training: { maxConcurrency: 20 } });
    expect(forecast.late.length).toBeGreaterThan(100);
    expect(forecast.missingVcpus).toEqual({});
    expect(forecast.neededConcurrency).toBeGreaterThan(100);
    expect(forecastText(forecast)).toContain('needs training.maxConcurrency');
  });

  it('planNight tells runs that are too long, and stages that are too large, from those that lack capacity', () => {
    const giant = aTenant({
      tenantId: 'giant',
      backend: 'batch',
      resources: { train: { cpu: 256, memoryMiB: 64 } },
    });
    const { forecast, order } = planned({
      due: [...many(3), giant],
      durations: measured({ 'batch-00000': 60, 'batch-00001': 8 * 3_600, 'batch-00002': 60 }),
      queueSize: { batchSpotVcpus: 100 },
    });
    expect(forecast).toMatchObject({
      tenants: 4,
      onTime: 2,
      tooLong: ['batch-00001'],
      tooLarge: ['giant'],
      missingVcpus: {},
      measured: 3,
    });
    expect(order).toHaveLength(4);
  });

  it('planNight counts the Kubernetes objects: more runs than the quota holds wait for older ones to be removed', () => {
    const wide = { eksSpotVcpus: 100_000 };
    const quick = measured(
      Object.fromEntries(many(8_000, { backend: 'eks' }).map(({ tenantId }) => [tenantId, 60])),
    );
    const { forecast } = planned({ due: many(8_000, { backend: 'eks' }), durations: quick, queueSize: wide });
    // 5,000 runs of six jobs fill 30,000; the first are removed three hours after they ended.
    expect(Date.parse(forecast.endsAt) - Date.parse('2026-11-24T02:00:00Z')).toBeGreaterThan(3 * 3_600_000);
    const batch = planned({
      due: many(8_000),
      durations: measured(Object.fromEntries(many(8_000).map(({ tenantId }) => [tenantId, 60]))),
      queueSize: { batchSpotVcpus: 100_000 },
    });
    // SubmitJob's 50 a second let ten runs a second begin.
    const seconds = (Date.parse(batch.forecast.endsAt) - Date.parse('2026-11-24T02:00:00Z')) / 1000;
    expect(seconds).toBeGreaterThan(800);
    expect(seconds).toBeLessThan(2_000);
  });

  it('planNight forecasts an end that is never before the lower bound and within a phase of it for work that fills the queue', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 600, max: 7_200 }), { minLength: 200, maxLength: 400 }),
        fc.integer({ min: 16, max: 200 }),
        (train, vcpus) => {
          const due = many(train.length);
          const seconds = Object.fromEntries(due.map(({ tenantId }, at) => [tenantId, train[at] ?? 0]));
          const { forecast } = planned({
            due,
            durations: measured(seconds),
            queueSize: { batchSpotVcpus: vcpus },
          });
          const ends = (Date.parse(forecast.endsAt) - Date.parse('2026-11-24T02:00:00Z')) / 1000;
          const work = train.reduce((sum, one) => sum + 120 + 4 * (one + 60) + 2 * 120 + 2 * 120, 0);
          const bound = Math.max(work / vcpus, Math.max(...train) + 420);
          expect(ends).toBeGreaterThanOrEqual(bound - 1);
          expect(ends).toBeLessThanOrEqual((work / (vcpus - 3)) * 1.15 + Math.max(...train) + 420);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('planNight: the order', () => {
  it('planNight goes by priority while everybody is on time, and within it by who has to begin soonest', () => {
    const due = [
      aTenant({ tenantId: 'a' }),
      aTenant({ tenantId: 'b', priority: 90 }),
      aTenant({ tenantId: 'long' }),
    ];
    expect(planned({ due, durations: measured({ a: 60, b: 60, long: 7_200 }) }).order).toEqual([
      'b',
      'long',
      'a',
    ]);
  });

  it('planNight begins a patient tenant’s long run before urgent short ones when only that keeps every deadline', () => {
    const due = [
      ...many(40, { priority: 90 }),
      aTenant({ tenantId: 'long', backend: 'batch', priority: 10 }),
    ];
    const durations = measured({
      ...Object.fromEntries(due.map(({ tenantId }) => [tenantId, 1_800])),
      long: 5 * 3_600,
    });
    const { order, forecast } = planned({ due, durations, queueSize: { batchSpotVcpus: 20 } });
    expect(order[0]).toBe('long');
    expect(forecast.late).toEqual([]);
  });

  it('planNight begins sooner whose own deadline is sooner', () => {
    const due = [aTenant({ tenantId: 'a' }), { ...aTenant({ tenantId: 'b' }), deadline: '05:00' }];
    const plan = planned({ due });
    expect(plan.order).toEqual(['b', 'a']);
    expect(plan.deadlines.get('b')).toBe(Date.parse('2026-11-24T05:00:00Z'));
    expect(plan.forecast.deadline).toBe('2026-11-24T08:00:00.000Z');
  });

  it('planNight lets the least important be late when not everybody can be on time', () => {
    const due = [
      ...many(300, { priority: 10 }),
      ...many(60, { backend: 'batch', priority: 90 }).map((one) => ({
        ...one,
        tenantId: `x${one.tenantId}`,
      })),
    ];
    const { forecast } = planned({ due, queueSize: { batchSpotVcpus: 100 } });
    expect(forecast.late.length).toBeGreaterThan(100);
    expect(forecast.late.some((tenantId) => tenantId.startsWith('x'))).toBe(false);
  });
});

describe('planNight: how long jobs may wait for spot', () => {
  it('planNight lets them wait for hours in a night with time to spare, each the longer the later it begins', () => {
    const { spotUntil, order } = planned({ due: many(100) });
    const until = order.map((tenantId) => spotUntil.get(tenantId) ?? 0);
    expect(until[0]).toBeGreaterThan(Date.parse('2026-11-24T04:00:00Z'));
    expect(until.at(-1)).toBeLessThan(Date.parse('2026-11-24T06:00:00Z'));
    expect(until).toEqual(until.toSorted((a, b) => a - b));
  });

  it('planNight lets nobody wait when on-demand alone could not make it any more, or could never place the run', () => {
    const { spotUntil } = planned({ due: many(400), queueSize: { batchOnDemandVcpus: 40 } });
    expect(Math.min(...spotUntil.values())).toBeLessThan(Date.parse('2026-11-24T02:00:00Z'));
    expect(planned({ due: many(1), queueSize: { batchOnDemandVcpus: 2 } }).spotUntil.size).toBe(0);
    expect(planned({ due: many(3, onDemand) }).spotUntil.size).toBe(0);
  });
});

describe('courseOf', () => {
  const now = Date.parse('2026-11-24T02:00:00Z');
  const eks = many(40, { backend: 'eks' });
  const batch = many(40);
  /** 40 tenants of one cluster begun, 40 of Batch waiting: an hour and a half each, by default six hours until the deadline. */
  const facts = (over: Partial<CourseFacts> = {}): CourseFacts => ({
    begun: eks.map((tenant) => ({ tenant, done: new Set(), spent: 0 })),
    waiting: batch,
    durations: durationsFrom([]),
    deadlines: new Map([...eks, ...batch].map(({ tenantId }) => [tenantId, now + 6 * 3_600_000])),
    uses: new Map(),
    config: nightSettings({ queueSize: { eksSpotVcpus: 400, batchSpotVcpus: 400, eksOnDemandVcpus: 8 } }),
    now,
    width: 40,
    ...over,
  });
  const dry = new Map([['eks/spot', { running: { cpu: 8, memoryMiB: 16_384 }, waitsLong: true }]] as const);

  it('courseOf leaves a night alone that is in time, and one that has nobody left to begin', () => {
    expect(courseOf(facts())).toEqual({ late: [], width: 40, lateThen: [] });
    const late = courseOf(facts({ waiting: [], uses: dry }));
    expect(late).toMatchObject({ width: 40 });
    expect(late?.late.length).toBeGreaterThan(20);
  });

  it('courseOf widens a night whose places are taken by jobs of a queue that gives nothing, at most twice', () => {
    const course = courseOf(facts({ uses: dry }));
    expect(course?.late.some((tenantId) => tenantId.startsWith('batch'))).toBe(true);
    expect(course).toMatchObject({ width: 60 });
    expect(course?.lateThen.some((tenantId) => tenantId.startsWith('batch'))).toBe(false);
    expect(courseOf(facts({ uses: dry, width: 20 }))?.width).toBeLessThanOrEqual(40);
  });

  it('courseOf widens nothing that is late because its queues are full, or beyond the setting', () => {
    const config = nightSettings({ queueSize: { eksSpotVcpus: 20, batchSpotVcpus: 20 } });
    const mixed = [...eks.slice(20), ...batch.slice(20)];
    const begun = mixed.map((tenant) => ({ tenant, done: new Set<never>(), spent: 0 }));
    const full = courseOf(facts({ config, begun, waiting: [...eks.slice(0, 20), ...batch.slice(0, 20)] }));
    expect(full).toMatchObject({ width: 40 });
    expect(full?.late.length).toBeGreaterThan(20);
    const bound = nightSettings({ queueSize: { eksOnDemandVcpus: 8 }, training: { maxConcurrency: 40 } });
    expect(courseOf(facts({ uses: dry, config: bound }))?.width).toBe(40);
  });

  it('courseOf counts only what is left of a run, and knows nothing of a queue without a size', () => {
    const deadlines = new Map(eks.map(({ tenantId }) => [tenantId, now + 1_500_000]));
    const begun = eks.map((tenant) => ({ tenant, done: new Set(['prepare', 'train'] as const), spent: 300 }));
    expect(courseOf(facts({ begun, deadlines, waiting: [] }))?.late).toEqual([]);
    expect(courseOf(facts({ deadlines, waiting: [] }))?.late).toHaveLength(40);
    expect(courseOf(facts({ waiting: many(1, { backend: 'local' }) }))).toBeUndefined();
  });
});

describe('prewarmOf: instances before a night', () => {
  /** A night of six hours whose only phase that matters takes so many seconds; the others take four minutes. */
  const trained = (seconds: number, over: Partial<Tenant> = {}) => {
    const due = many(3, over);
    const durations = measured(Object.fromEntries(due.map(({ tenantId }) => [tenantId, seconds])));
    return prewarmOf(
      nightOf({ due, durations, queueSize: { batchSpotVcpus: 4, batchOnDemandVcpus: 8 } }),
      300,
    );
  };
  const deadline = 6 * 3_600;

  it.each([
    ['with hours to spare', 3_600],
    ['whose runs are late with instances, too', deadline],
  ])('night %s has nothing kept ready', (_, seconds) => {
    expect(trained(seconds)).toMatchObject({ saved: [], vcpus: new Map() });
  });

  it('night that is late only by the start of its instances has them ready, as far as the queue has room', () => {
    const seconds = deadline - 4 * 120 - 100;
    const found = trained(seconds, onDemand);
    expect(found.saved.length).toBeGreaterThan(0);
    expect([...found.vcpus.keys()]).toEqual(['batch/on-demand']);
    expect(found.vcpus.get('batch/on-demand')).toBeGreaterThan(0);
    expect(found.vcpus.get('batch/on-demand')).toBeLessThanOrEqual(8);
  });

  it('night without tenants has nothing kept ready', () => {
    expect(prewarmOf(nightOf({ due: [] }), 300)).toEqual({ saved: [], vcpus: new Map() });
  });
});
