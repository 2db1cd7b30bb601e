import { describe, expect, it } from 'vitest';
import { createExpireCapacity } from '../../../functions/scaling/expire-capacity.ts';
import { createPrewarmNight } from '../../../functions/scaling/prewarm-night.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import { scalingSchema } from '../../../lib/scaling/configuration.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { devSettings, objectStoreOf, testPorts } from '../../fixtures/ports.ts';
import { aRun, aTenant } from '../../fixtures/records.ts';

const metric = { namespace: 'AWS/ApplicationELB', name: 'RequestCount', stat: 'Sum' };
const event = { scheduledTime: '2026-11-24T01:50:00Z', minutesAhead: 10 };

/** A night of one tenant whose run ends a minute before its deadline, when nothing has to start first. */
async function opened(mode: 'apply' | 'decide' | 'off', trainSeconds = 6 * 3_600 - 4 * 120 - 100) {
  const kept = new Map<string, string>();
  const sizes = new Map([['batch-spot', { min: 0, desired: 0, max: 64 }]]);
  const clock = new VirtualClock(Date.parse(event.scheduledTime));
  const ports = testPorts({
    clock,
    config: {
      ...devSettings,
      scaling: scalingSchema.parse(mode === 'off' ? { mode } : { mode, metric, perReplica: 50 }),
    },
    objects: objectStoreOf({
      get: async (uri) => {
        if (!kept.has(uri)) throw new NotFound('OBJECT_NOT_FOUND', uri);
        return new TextEncoder().encode(kept.get(uri));
      },
      put: async (uri, body) => void kept.set(uri, String(body)),
    }),
    queueVcpus: {
      size: async (group) => sizes.get(group),
      setMin: async (group, min) => {
        sizes.set(group, { min, desired: min, max: 64 });
        return 'set';
      },
    },
    replicaFloor: { current: async () => undefined, set: async () => {} },
  });
  await ports.tenants.put(aTenant({ tenantId: 'acme', backend: 'batch' }), 0);
  const stageSeconds = { prepare: 60, train: trainSeconds, index: 60, deploy: 60, cache: 60 };
  const run = aRun({ runId: 'acme-1', tenantId: 'acme', logicalDate: '2026-11-23', status: 'running' });
  await ports.runs.createRun(run);
  await ports.runs.updateRun(run.runId, { status: 'succeeded', stageSeconds }, { status: ['running'] });
  return { prewarm: createPrewarmNight(ports), expire: createExpireCapacity(ports), sizes, clock };
}

describe('prewarmNight', () => {
  it('instances that a night would be late without are kept ready, and the expiry takes them back', async () => {
    const { prewarm, expire, sizes, clock } = await opened('apply');
    expect(await prewarm(event)).toMatchObject({
      outcome: 'set',
      because: expect.stringContaining('1 tenants would be late'),
      expiresAt: '2026-11-24T02:20:00.000Z',
    });
    expect(sizes.get('batch-spot')?.min).toBeGreaterThan(0);
    expect(await expire({})).toMatchObject({ outcome: 'kept' });
    await clock.advance(30 * 60_000);
    expect(await expire({})).toMatchObject({ outcome: 'withdrawn' });
    expect(sizes.get('batch-spot')?.min).toBe(0);
  });

  it.each([
    ['decided alone', 'decide', undefined, 'decided'],
    ['not asked for where nobody is late by it', 'apply', 3_600, 'kept'],
    ['not looked into where the settings say off', 'off', undefined, 'off'],
  ] as const)('instances are %s', async (_, mode, seconds, outcome) => {
    const { prewarm, sizes } = await opened(mode, seconds);
    expect(await prewarm(event)).toMatchObject({ outcome });
    expect(sizes.get('batch-spot')?.min).toBe(0);
  });
});
