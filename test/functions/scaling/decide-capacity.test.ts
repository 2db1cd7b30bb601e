import { describe, expect, it } from 'vitest';
import { createDecideCapacity } from '../../../functions/scaling/decide-capacity.ts';
import { loadConfig } from '../../../lib/config/load-config.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { Throttled } from '../../../lib/errors/run-errors.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import { quietReplicas, scalingSchema } from '../../../lib/scaling/configuration.ts';
import type { Reading } from '../../../lib/scaling/hourly-series.ts';
import { devSettings } from '../../fixtures/ports.ts';

type Ports = Parameters<typeof createDecideCapacity>[0];

const decide = {
  mode: 'decide',
  metric: { namespace: 'AWS/ApplicationELB', name: 'RequestCount', stat: 'Sum' },
  perReplica: 1,
};
/** Tuesday of the fourth week, 8:50. */
const now = Date.UTC(2026, 0, 27, 8, 50);
const monday = Date.UTC(2026, 0, 5);

/** A service that opens at 9:00 on working days. */
const office: Reading[] = Array.from({ length: (now - monday) / 300_000 }, (_, at) => {
  const day = Math.floor(at / 288) % 7;
  const hour = (at % 288) / 12;
  return { at: monday + at * 300_000, value: day < 5 && hour >= 9 && hour < 18 ? 600 : 80 };
});

function portsWith(
  scaling: object | undefined,
  readings: readonly Reading[],
  { override, failing }: { override?: object; failing?: Error } = {},
) {
  const counted: unknown[] = [];
  const ports = {
    config: {
      scaling: scalingSchema.parse(scaling ? { ...decide, perReplica: 50, ...scaling } : { mode: 'off' }),
    },
    clock: { now: () => now },
    log: { info: () => {}, warn: () => {} },
    metrics: { count: (...args: unknown[]) => counted.push(args) },
    replicaFloor: { current: async () => undefined },
    objects: {
      get: async (uri: string) => {
        if (!override) throw new NotFound('OBJECT_NOT_FOUND', uri);
        return new TextEncoder().encode(JSON.stringify(override));
      },
    },
    loadMetrics: {
      readings: async (from: number, until: number) => {
        if (failing) throw failing;
        return readings.filter(({ at }) => at >= from && at < until);
      },
      usage: async () => [],
    },
  } as unknown as Ports;
  return { decide: createDecideCapacity(ports), counted };
}

describe('decideCapacity', () => {
  it('decision before the office opens is a raise, with its reason and its end', async () => {
    const { decide, counted } = portsWith({}, office);
    expect(await decide({ execution: 'e', dryRun: false })).toEqual({
      outcome: 'decided',
      apply: false,
      action: 'raise',
      minReplicas: 11,
      nodes: 3,
      quiet: false,
      expiresAt: '2026-01-27T09:20:00.000Z',
      because: expect.stringContaining('the HPA alone was short in'),
    });
    expect(counted).toEqual([['CapacityDecided', 1, { action: 'raise' }]]);
  });

  it('decision is to be set where the settings say so, and a held one never', async () => {
    const said = { mode: 'apply' };
    expect(await portsWith(said, office).decide({ execution: 'e', dryRun: false })).toMatchObject({
      apply: true,
    });
    expect(await portsWith(said, []).decide({ execution: 'e', dryRun: false })).toMatchObject({
      apply: false,
    });
  });

  it('decision is never set by a dry run', async () => {
    const { decide } = portsWith({ mode: 'apply' }, office);
    expect(await decide({ execution: 'e', dryRun: true })).toMatchObject({ action: 'raise', apply: false });
  });

  it('decision of an operator holds without metrics, until it ends', async () => {
    const set = { minReplicas: 9, reason: 'launch', decidedAt: '2026-01-27T08:00:00Z' };
    const at = (expiresAt: string) =>
      portsWith({}, [], { override: { ...set, expiresAt } }).decide({ execution: 'e', dryRun: false });
    expect(await at('2026-01-27T09:00:00Z')).toMatchObject({ action: 'raise', minReplicas: 9, nodes: 2 });
    expect(await at('2026-01-27T08:50:00Z')).toMatchObject({ action: 'hold' });
  });

  it('decision is held where metrics are refused, and made again where they may come in a moment', async () => {
    const refused = new EpsilonError('PROMETHEUS_AMBIGUOUS', 'the query has 2 series');
    expect(
      await portsWith({}, [], { failing: refused }).decide({ execution: 'e', dryRun: false }),
    ).toMatchObject({
      outcome: 'held',
      because: 'the query has 2 series: nothing is decided, and raises expire',
    });
    const failing = new Throttled('Prometheus does not answer', undefined);
    await expect(portsWith({}, [], { failing }).decide({ execution: 'e', dryRun: false })).rejects.toBe(
      failing,
    );
  });

  it('operator and quiet hours do not wait for metrics', async () => {
    const failing = new Throttled('Prometheus does not answer', undefined);
    const quiet = portsWith({ quietHours: { from: 8, until: 10 } }, [], { failing });
    expect(await quiet.decide({ execution: 'e', dryRun: false })).toMatchObject({
      action: 'keep',
      quiet: true,
    });
  });

  it('decision without metrics is held', async () => {
    const { decide, counted } = portsWith({}, []);
    expect(await decide({ execution: 'e', dryRun: false })).toMatchObject({
      outcome: 'held',
      action: 'hold',
      minReplicas: 3,
    });
    expect(counted).toEqual([
      ['CapacityDecided', 1, { action: 'hold' }],
      ['CapacityHeld', 1],
    ]);
  });

  it('decision in quiet hours is the minimum of the fleet', async () => {
    const { decide } = portsWith({ quietHours: { from: 8, until: 10 } }, office);
    expect(await decide({ execution: 'e', dryRun: false })).toMatchObject({ action: 'keep', minReplicas: 3 });
  });

  it('nothing is measured where the settings say off', async () => {
    const { decide, counted } = portsWith(undefined, office);
    expect(await decide({ execution: 'e', dryRun: false })).toMatchObject({ outcome: 'off' });
    expect(counted).toEqual([]);
  });

  it.each([
    { from: 22, until: 6, quiet: false },
    { from: 8, until: 9, quiet: true },
    { from: 9, until: 8, quiet: false },
    { from: 20, until: 9, quiet: true },
  ])('quiet hours from $from to $until at 8:50: $quiet', ({ from, until, quiet }) => {
    const config = scalingSchema.parse({ ...decide, quietHours: { from, until } });
    expect(config.mode === 'decide' && quietReplicas(config, now)).toBe(quiet ? 3 : undefined);
  });

  it.each([
    [{ minReplicas: 9, maxReplicas: 3 }, 'minReplicas is above maxReplicas'],
    [{ quietHours: { from: 22, until: 5, minReplicas: 4 } }, 'quiet hours have no more replicas'],
    [{ nodeGroups: { 'general-a': { least: 1, quiet: 2 } } }, 'quiet hours have no more nodes'],
  ])('settings with inverted bounds are refused: %j', (over, why) => {
    expect(() => scalingSchema.parse({ ...decide, ...over })).toThrow(why);
  });

  it.each([
    [{ minReplicas: 2 }, 'at least 3 replicas, not 2'],
    [{ quietHours: { from: 22, until: 5, minReplicas: 2 } }, 'at least 3 replicas, not 2'],
    [{ nodeGroups: { 'general-a': { least: 2, quiet: 1 } } }, 'at least 2 nodes for what is raised'],
    [{ nodeGroups: { ml_workloads: { least: 1, quiet: 0, raised: false } } }, 'at least 1 nodes'],
  ])('settings of production go below its least at no hour: %j', (over, why) => {
    const load = (environment: string) =>
      loadConfig({ file: { ...devSettings, environment, scaling: { ...decide, ...over } }, variables: {} });
    expect(() => load('prod')).toThrow(why);
    expect(load('staging').scaling.mode).toBe('decide');
  });
});
