import { describe, expect, it } from 'vitest';
import { createApplyCapacity } from '../../../functions/scaling/apply-capacity.ts';
import { createExpireCapacity } from '../../../functions/scaling/expire-capacity.ts';
import type { Floor } from '../../../lib/ports/serving/replica-floor.ts';
import { scalingSchema } from '../../../lib/scaling/configuration.ts';

type Ports = Parameters<typeof createExpireCapacity>[0];

const now = Date.parse('2026-11-24T08:50:00.000Z');
const metric = { namespace: 'AWS/ApplicationELB', name: 'RequestCount', stat: 'Sum' };

function portsWith(floor: Floor | undefined, mode = 'apply') {
  const set: Floor[] = [];
  const counted: string[] = [];
  const ports = {
    config: { scaling: scalingSchema.parse(mode === 'off' ? { mode } : { mode, metric, perReplica: 50 }) },
    clock: { now: () => now },
    log: { info: () => {}, warn: () => {} },
    metrics: { count: (name: string) => counted.push(name) },
    replicaFloor: { current: async () => floor, set: async (to: Floor) => set.push(to) },
  } as unknown as Ports;
  return { ports, set, counted };
}

const decided = {
  action: 'raise',
  minReplicas: 11,
  expiresAt: '2026-11-24T09:20:00.000Z',
  because: 'ramp',
} as const;

describe('applyCapacity', () => {
  it('raise is set with when it was, its end and its reason', async () => {
    const { ports, set } = portsWith({ minReplicas: 3 });
    expect(await createApplyCapacity(ports)(decided)).toMatchObject({
      applied: true,
      before: 3,
      minReplicas: 11,
    });
    expect(set).toEqual([
      {
        minReplicas: 11,
        raisedAt: '2026-11-24T08:50:00.000Z',
        expiresAt: decided.expiresAt,
        because: 'ramp',
      },
    ]);
  });

  it('renewal keeps when the raise was', async () => {
    const { ports, set } = portsWith({ minReplicas: 11, raisedAt: '2026-11-24T08:40:00.000Z' });
    await createApplyCapacity(ports)({ ...decided, action: 'keep' });
    expect(set[0]?.raisedAt).toBe('2026-11-24T08:40:00.000Z');
  });

  it.each([
    [500, 19],
    [1, 3],
  ])('number %i is set as %i, within the bounds', async (minReplicas, bounded) => {
    const { ports, set } = portsWith({ minReplicas: 5 });
    await createApplyCapacity(ports)({ ...decided, minReplicas });
    expect(set[0]?.minReplicas).toBe(bounded);
  });

  it.each([
    ['without an autoscaler', undefined, 'apply'],
    ['where decisions are only recorded', { minReplicas: 3 }, 'decide'],
    ['where the settings say off', { minReplicas: 3 }, 'off'],
  ])('nothing is set %s', async (_, floor, mode) => {
    const { ports, set } = portsWith(floor, mode);
    expect(await createApplyCapacity(ports)(decided)).toMatchObject({ applied: false });
    expect(set).toEqual([]);
  });
});

describe('expireCapacity', () => {
  it.each([
    ['that nobody renewed is withdrawn', { minReplicas: 11, expiresAt: '2026-11-24T08:49:59.000Z' }, 1],
    ['that still lives is kept', { minReplicas: 11, expiresAt: '2026-11-24T08:50:01.000Z' }, 0],
    ['of somebody else, without an end, is kept', { minReplicas: 11 }, 0],
    [
      'that is no more than the minimum is kept',
      { minReplicas: 3, expiresAt: '2026-11-24T08:00:00.000Z' },
      0,
    ],
    ['whose end is no instant is withdrawn', { minReplicas: 11, expiresAt: 'soon' }, 1],
  ])('raise %s', async (_, floor, times) => {
    const { ports, set, counted } = portsWith(floor);
    await createExpireCapacity(ports)({});
    expect(set.map(({ minReplicas }) => minReplicas)).toEqual(Array.from({ length: times }, () => 3));
    expect(counted).toHaveLength(times);
  });

  it('nothing is withdrawn where the settings say off', async () => {
    const { ports, set } = portsWith({ minReplicas: 11, expiresAt: '2026-11-24T08:00:00.000Z' }, 'off');
    expect(await createExpireCapacity(ports)({})).toEqual({ outcome: 'off' });
    expect(set).toEqual([]);
  });
});
