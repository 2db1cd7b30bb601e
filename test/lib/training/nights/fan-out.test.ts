import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tenant } from '../../../../lib/tenants/tenant.ts';
import { fanOutOf, footprintOf } from '../../../../lib/training/nights/fan-out.ts';
import { aTenant } from '../../../fixtures/records.ts';

const queueSize = {
  batchSpotVcpus: 800,
  batchOnDemandVcpus: 200,
  eksSpotVcpus: 840,
  eksOnDemandVcpus: 20,
  memoryPerVcpu: 2048,
};
const config = (over: Partial<typeof queueSize> = {}, maxConcurrency = 10_000) => ({
  queueSize: { ...queueSize, ...over },
  training: { maxConcurrency },
});
const many = (count: number, over: Partial<Tenant> = {}) =>
  Array.from({ length: count }, (_, index) =>
    aTenant({ tenantId: `${over.backend ?? 'batch'}-${index}`, backend: 'batch', ...over }),
  );
const onDemand = { capacity: { spotAllowed: false } };

describe('footprintOf', () => {
  it('footprintOf is the widest moment of a run: training alone, or what runs side by side', () => {
    expect(footprintOf(aTenant())).toEqual({ cpu: 4, memoryMiB: 8192 });
    const wide = { deploy: { cpu: 3, memoryMiB: 512 }, cache: { cpu: 2, memoryMiB: 9000 } };
    expect(footprintOf(aTenant({ resources: wide }))).toEqual({ cpu: 5, memoryMiB: 9512 });
  });

  it('footprintOf counts whole vCPUs on Batch, which places no less', () => {
    const resources = { train: { cpu: 4.2, memoryMiB: 100 } };
    expect(footprintOf(aTenant({ backend: 'eks', resources })).cpu).toBe(4.2);
    expect(footprintOf(aTenant({ backend: 'batch', resources })).cpu).toBe(5);
  });
});

describe('fanOutOf', () => {
  it.each<[string, Tenant[], ReturnType<typeof config>, number, string]>([
    ['fills the queue of the tenants', many(1000), config(), 200, 'batch/spot'],
    ['is never more than the setting', many(1000), config({}, 50), 50, 'setting'],
    [
      'is limited by memory where that is scarcer',
      many(1000),
      config({ memoryPerVcpu: 1024 }),
      100,
      'batch/spot',
    ],
    [
      'gives tenants that forbid spot only on-demand capacity',
      many(1000, onDemand),
      config(),
      50,
      'batch/on-demand',
    ],
    [
      'lets the queue decide that fills first by its part of the tenants',
      [...many(500), ...many(500, { backend: 'eks', ...onDemand })],
      config(),
      10,
      'eks/on-demand',
    ],
    [
      'is not held back by a queue that few tenants use',
      [...many(990), ...many(10, { backend: 'eks', ...onDemand })],
      config(),
      202,
      'batch/spot',
    ],
    [
      'is the setting where no queue size is configured',
      many(9, { backend: 'local' }),
      config({}, 4),
      4,
      'setting',
    ],
    ['is one where a single run fills everything', many(5), config({ batchSpotVcpus: 4 }), 1, 'batch/spot'],
    ['is the setting for an empty night', [], config({}, 7), 7, 'setting'],
  ])('%s', (_, due, settings, maxConcurrency, limitedBy) => {
    expect(fanOutOf(due, settings)).toMatchObject({ maxConcurrency, limitedBy, tooLarge: [] });
  });

  it('fanOutOf names tenants that can never be placed and does not count on them', () => {
    const giant = aTenant({
      tenantId: 'giant',
      backend: 'batch',
      resources: { train: { cpu: 256, memoryMiB: 64 } },
    });
    const small = config({ batchSpotVcpus: 100 });
    expect(fanOutOf([...many(99), giant], small)).toMatchObject({ maxConcurrency: 25, tooLarge: ['giant'] });
    expect(fanOutOf([giant], small)).toMatchObject({ limitedBy: 'setting', tooLarge: ['giant'] });
  });

  const tenants = fc.array(
    fc.record({
      backend: fc.constantFrom('batch' as const, 'eks' as const),
      spotAllowed: fc.boolean(),
      cpu: fc.integer({ min: 1, max: 16 }),
    }),
    { minLength: 1, maxLength: 60 },
  );
  const made = (all: readonly { backend: 'batch' | 'eks'; spotAllowed: boolean; cpu: number }[]) =>
    all.map(({ backend, spotAllowed, cpu }, index) =>
      aTenant({
        tenantId: `t${index}`,
        backend,
        capacity: { spotAllowed },
        resources: { train: { cpu, memoryMiB: 64 } },
      }),
    );

  it('fanOutOf asks of no queue more than it has, for a night of average tenants', () => {
    fc.assert(
      fc.property(tenants, (all) => {
        const due = made(all);
        const { maxConcurrency } = fanOutOf(due, config({ eksOnDemandVcpus: 64 }));
        const pools = { 'batch/true': 800, 'batch/false': 200, 'eks/true': 840, 'eks/false': 64 };
        for (const [queue, pool] of Object.entries(pools)) {
          const mine = due.filter((one) => `${one.backend}/${one.capacity.spotAllowed}` === queue);
          const cpu = mine.reduce((sum, one) => sum + footprintOf(one).cpu, 0);
          // Together with the least of one run at a time.
          expect((cpu / due.length) * maxConcurrency).toBeLessThanOrEqual(
            Math.max(pool, cpu / due.length) + 1e-6,
          );
        }
      }),
    );
  });

  it('fanOutOf never falls when a queue grows', () => {
    fc.assert(
      fc.property(
        tenants,
        fc.integer({ min: 16, max: 2_000 }),
        fc.integer({ min: 0, max: 500 }),
        (all, vcpus, more) => {
          const at = (batchSpotVcpus: number) =>
            fanOutOf(made(all), config({ batchSpotVcpus })).maxConcurrency;
          expect(at(vcpus + more)).toBeGreaterThanOrEqual(at(vcpus));
        },
      ),
    );
  });
});
