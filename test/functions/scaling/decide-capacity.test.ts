import { describe, expect, it } from 'vitest';
import { createDecideCapacity } from '../../../functions/scaling/decide-capacity.ts';
import { isQuiet, scalingSchema } from '../../../lib/scaling/configuration.ts';
import type { Reading } from '../../../lib/scaling/hourly-series.ts';

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

function portsWith(scaling: object | undefined, readings: readonly Reading[]) {
  const counted: unknown[] = [];
  const ports = {
    config: {
      scaling: scalingSchema.parse(scaling ? { ...decide, perReplica: 50, ...scaling } : { mode: 'off' }),
    },
    clock: { now: () => now },
    log: { info: () => {}, warn: () => {} },
    metrics: { count: (...args: unknown[]) => counted.push(args) },
    replicaFloor: { current: async () => undefined },
    loadMetrics: {
      readings: async (from: number, until: number) => readings.filter(({ at }) => at >= from && at < until),
    },
  } as unknown as Ports;
  return { decide: createDecideCapacity(ports), counted };
}

describe('decideCapacity', () => {
  it('decision before the office opens is a raise, with its reason and its end', async () => {
    const { decide, counted } = portsWith({}, office);
    expect(await decide({ execution: 'e' })).toEqual({
      outcome: 'decided',
      apply: false,
      action: 'raise',
      minReplicas: 11,
      expiresAt: '2026-01-27T09:20:00.000Z',
      because: expect.stringContaining('the HPA alone was short in'),
    });
    expect(counted).toEqual([['CapacityDecided', 1, { action: 'raise' }]]);
  });

  it('decision is to be set where the settings say so, and a held one never', async () => {
    const said = { mode: 'apply' };
    expect(await portsWith(said, office).decide({ execution: 'e' })).toMatchObject({ apply: true });
    expect(await portsWith(said, []).decide({ execution: 'e' })).toMatchObject({ apply: false });
  });

  it('decision without metrics is held', async () => {
    const { decide, counted } = portsWith({}, []);
    expect(await decide({ execution: 'e' })).toMatchObject({
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
    expect(await decide({ execution: 'e' })).toMatchObject({ action: 'keep', minReplicas: 3 });
  });

  it('nothing is measured where the settings say off', async () => {
    const { decide, counted } = portsWith(undefined, office);
    expect(await decide({ execution: 'e' })).toMatchObject({ outcome: 'off' });
    expect(counted).toEqual([]);
  });

  it.each([
    { from: 22, until: 6, quiet: false },
    { from: 8, until: 9, quiet: true },
    { from: 9, until: 8, quiet: false },
    { from: 20, until: 9, quiet: true },
  ])('quiet hours from $from to $until at 8:50: $quiet', ({ from, until, quiet }) => {
    const config = scalingSchema.parse({ ...decide, quietHours: { from, until } });
    expect(config.mode === 'decide' && isQuiet(config, now)).toBe(quiet);
  });

  it('settings with inverted bounds are refused', () => {
    expect(() => scalingSchema.parse({ ...decide, minReplicas: 9, maxReplicas: 3 })).toThrow(
      'minReplicas is above maxReplicas',
    );
  });
});
