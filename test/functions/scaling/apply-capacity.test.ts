import { describe, expect, it } from 'vitest';
import { createApplyCapacity } from '../../../functions/scaling/apply-capacity.ts';
import { createExpireCapacity } from '../../../functions/scaling/expire-capacity.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import type { Floor } from '../../../lib/ports/serving/replica-floor.ts';
import type { GroupSize, SizedGroups } from '../../../lib/ports/serving/sized-groups.ts';
import { scalingSchema } from '../../../lib/scaling/configuration.ts';

type Ports = Parameters<typeof createExpireCapacity>[0];

const now = Date.parse('2026-11-24T08:50:00.000Z');
const metric = { namespace: 'AWS/ApplicationELB', name: 'RequestCount', stat: 'Sum' };

/** Three groups of two nodes, as production has them, and objects that remember. */
const nodeGroups = {
  'general-a': { least: 1, quiet: 0 },
  'general-b': { least: 1, quiet: 0 },
  'general-c': { least: 0 },
  ml_workloads: { least: 1, quiet: 0, raised: false },
};
const quietHours = { from: 22, until: 5, minReplicas: 1 };

class Groups implements SizedGroups {
  readonly sizes = new Map<string, GroupSize>(
    Object.entries(nodeGroups).map(([name, { least }]) => [name, { min: least, desired: 1, max: 3 }]),
  );
  busy = false;
  async size(group: string) {
    return this.sizes.get(group);
  }
  async setMin(group: string, min: number) {
    if (this.busy) return 'held' as const;
    const size = this.sizes.get(group);
    if (size) this.sizes.set(group, { ...size, min, desired: Math.max(size.desired, min) });
    return 'set' as const;
  }
  minima() {
    return [...this.sizes.values()].map(({ min }) => min);
  }
}

function memoryObjects() {
  const kept = new Map<string, string>();
  return {
    kept,
    get: async (uri: string) => {
      const text = kept.get(uri);
      if (text === undefined) throw new NotFound('OBJECT_NOT_FOUND', uri);
      return new TextEncoder().encode(text);
    },
    put: async (uri: string, body: unknown) => void kept.set(uri, String(body)),
  };
}

function portsWith(floor: Floor | undefined, mode = 'apply') {
  const set: Floor[] = [];
  const counted: string[] = [];
  const groups = new Groups();
  const objects = memoryObjects();
  const settings = { mode, metric, perReplica: 50, quietHours, nodeGroups };
  const ports = {
    config: { dataBucket: 'data', scaling: scalingSchema.parse(mode === 'off' ? { mode } : settings) },
    nodeGroups: groups,
    queueVcpus: { size: async () => undefined },
    objects,
    clock: { now: () => now },
    log: { info: () => {}, warn: () => {} },
    metrics: { count: (name: string) => counted.push(name) },
    replicaFloor: { current: async () => floor, set: async (to: Floor) => set.push(to) },
  } as unknown as Ports;
  return { ports, set, counted, groups, objects };
}

const decided = {
  action: 'raise',
  minReplicas: 11,
  expiresAt: '2026-11-24T09:20:00.000Z',
  because: 'ramp',
  nodes: 0,
  quiet: false,
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
    [1, 1, true],
  ])('number %i is set as %i, within the bounds', async (minReplicas, bounded, quiet = false) => {
    const { ports, set } = portsWith({ minReplicas: 5 });
    await createApplyCapacity(ports)({ ...decided, minReplicas, quiet });
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

describe('node groups', () => {
  const act = (over: object) => ({ ...decided, ...over });
  const opened = () => {
    const { ports, ...rest } = portsWith({ minReplicas: 3 });
    const at = { now: Date.parse('2026-11-24T08:50:00.000Z') };
    const with_ = { ...ports, clock: { now: () => at.now } } as Ports;
    return { apply: createApplyCapacity(with_), expire: createExpireCapacity(with_), at, ...rest };
  };

  it('nodes beyond the usual ones are shared, the smallest group first, and not among others', async () => {
    const { apply, groups } = opened();
    expect((await apply(act({ nodes: 3 }))) as object).toMatchObject({
      groups: [{ outcome: 'set' }, { outcome: 'set' }, { outcome: 'set' }, { outcome: 'kept' }],
    });
    expect(groups.minima()).toEqual([2, 2, 1, 1]);
    await apply(act({ nodes: 500 }));
    expect(groups.minima()).toEqual([3, 3, 3, 1]);
  });

  it('raise is withdrawn with the plan, and what somebody else raised stays', async () => {
    const { apply, groups } = opened();
    await apply(act({ nodes: 2 }));
    groups.sizes.set('general-b', { min: 3, desired: 3, max: 3 });
    expect(await apply(act({ nodes: 0 }))).toMatchObject({
      groups: expect.arrayContaining([{ group: 'general-b', before: 3, min: 3, outcome: 'foreign' }]),
    });
    expect(groups.minima()).toEqual([1, 3, 0, 1]);
  });

  it('quiet hours take groups to their floor, also from a raise, and the morning takes them back', async () => {
    const { apply, groups } = opened();
    await apply(act({ nodes: 2 }));
    await apply(act({ minReplicas: 1, quiet: true }));
    expect(groups.minima()).toEqual([0, 0, 0, 0]);
    await apply(act({}));
    expect(groups.minima()).toEqual([1, 1, 0, 1]);
  });

  it.each([
    ['raise', { nodes: 4 }],
    ['lower minimum of quiet hours', { minReplicas: 1, quiet: true }],
  ])('%s that nobody renews ends by itself', async (_, over) => {
    const { apply, expire, groups, at, counted } = opened();
    await apply(act(over));
    expect(await expire({})).toMatchObject({ groups: [] });
    at.now = Date.parse(decided.expiresAt);
    await expire({});
    expect(groups.minima()).toEqual([1, 1, 0, 1]);
    expect(counted).toEqual(['CapacityExpired']);
    expect(await expire({})).toMatchObject({ outcome: 'kept', groups: [] });
  });

  it('raise that was lowered in part and then forgotten ends, too', async () => {
    const { apply, expire, groups, at } = opened();
    await apply(act({ nodes: 6 }));
    groups.busy = true;
    expect(await apply(act({ nodes: 3 }))).toMatchObject({ groups: [{ outcome: 'held' }, {}, {}, {}] });
    at.now = Date.parse(decided.expiresAt);
    expect(await expire({})).toMatchObject({ outcome: 'kept', groups: [{ outcome: 'held' }, {}, {}] });
    groups.busy = false;
    await expire({});
    expect(groups.minima()).toEqual([1, 1, 0, 1]);
  });

  it('group that is not there is left out', async () => {
    const { apply, groups } = opened();
    groups.sizes.delete('general-c');
    await apply(act({ nodes: 2 }));
    expect(groups.minima()).toEqual([2, 2, 1]);
  });

  it('record that cannot be read stops the groups by name, and the replicas still end', async () => {
    const { ports, objects, set } = portsWith({ minReplicas: 9, expiresAt: '2026-11-24T08:00:00.000Z' });
    objects.kept.set('s3://data/scaling/groups/general-a.json', '{"high":"many"}');
    await expect(createExpireCapacity(ports)({})).rejects.toMatchObject({ code: 'SCALING_RECORD_INVALID' });
    expect(set).toHaveLength(1);
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
