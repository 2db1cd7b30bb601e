import { describe, expect, it } from 'vitest';
import { createWatchNight } from '../../../functions/training/watch-night.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import type { MapRun, MapRunSettings } from '../../../lib/ports/workflows.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { devSettings, objectStoreOf, testPorts, workflowsOf } from '../../fixtures/ports.ts';
import { anAttempt, aRun, aTenant } from '../../fixtures/records.ts';

const nightArn = 'arn:aws:states:us-west-2:123456789012:execution:epsilon-dev-nightly-training:night-1';
const folder = `s3://${devSettings.dataBucket}/nights/2026-11-24/night-1`;
const now = Date.parse('2026-11-24T02:40:00Z');
const plan = { deadline: '2026-11-24T08:00:00.000Z' };
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);

interface Facts {
  /** What the map run says. */
  readonly map?: Partial<MapRun>;
  readonly note?: object | null;
  /** Whether the jobs in the cluster have waited too long. */
  readonly dry?: boolean;
  readonly update?: (changes: Partial<MapRunSettings>) => Promise<void>;
}

/** A night of twelve tenants: six in the cluster have begun, six of Batch wait for their turn. */
async function aNight({ map = {}, note = { widths: [6], told: false }, dry = true, update }: Facts = {}) {
  const objects = new Map<string, string>();
  const [eks, batch] = [names('eks', 6), names('batch', 6)];
  objects.set(
    `${folder}/tenants-0.json`,
    JSON.stringify([...eks, ...batch].map((tenantId) => ({ tenantId, logicalDate: '2026-11-24', plan }))),
  );
  if (note) objects.set(`${folder}/course.json`, JSON.stringify(note));
  const seen = {
    updates: [] as Partial<MapRunSettings>[],
    told: [] as string[],
    counts: new Map<string, number>(),
  };
  const mapRun: MapRun = {
    mapRunArn: 'arn:map',
    status: 'RUNNING',
    startDate: '2026-11-24T02:00:10.000Z',
    redriveCount: 0,
    maxConcurrency: 6,
    toleratedFailureCount: 0,
    toleratedFailurePercentage: 100,
    children: { total: 12, pending: 6, running: 6, succeeded: 0, failed: 0, timedOut: 0, aborted: 0 },
    ...map,
  };
  const summary = {
    executionArn: nightArn,
    machine: 'nightly-training',
    name: 'night-1',
    status: 'RUNNING' as const,
    startDate: '2026-11-24T02:00:00.000Z',
    redriveCount: 1,
  };
  const ports = testPorts({
    clock: new VirtualClock(now),
    // Two hours a run: three of four vCPUs fit beside each other in the cluster.
    config: {
      ...devSettings,
      queueSize: { ...devSettings.queueSize, eksSpotVcpus: 60, eksOnDemandVcpus: 4 },
    },
    objects: objectStoreOf({
      get: async (uri) => {
        const body = objects.get(uri);
        if (body === undefined) throw new NotFound('OBJECT_NOT_FOUND', uri);
        return new TextEncoder().encode(body);
      },
      put: async (uri, body) => void objects.set(uri, String(body)),
    }),
    workflows: workflowsOf({
      list: async () => [summary],
      describe: async () => ({ ...summary, input: { scheduledTime: '2026-11-24T02:00:00Z' } }),
      mapRuns: async () => [mapRun],
      updateMapRun: update
        ? async (_, changes) => update(changes)
        : async (_, changes) => void seen.updates.push(changes),
    }),
    notifier: { notify: async ({ body }) => void seen.told.push(body) },
    metrics: {
      count: (name, value) => void seen.counts.set(name, value),
      duration: () => {},
    },
  });
  const long = { prepare: { cpu: 4, memoryMiB: 4_096 } };
  for (const tenantId of [...eks, ...batch])
    await ports.tenants.put(
      aTenant({ tenantId, backend: tenantId.startsWith('eks') ? 'eks' : 'batch', resources: long }),
      0,
    );
  for (const tenantId of eks) {
    const runId = `${tenantId}-2026-11-24`;
    await ports.runs.createRun(aRun({ runId, tenantId, backend: 'eks', nightArn }));
    await ports.runs.createAttempt(
      anAttempt({
        runId,
        tenantId,
        stage: 'prepare',
        backend: 'eks',
        status: dry && tenantId !== 'eks-0' ? 'submitted' : 'running',
        submittedAt: '2026-11-24T02:01:00.000Z',
        startedAt: '2026-11-24T02:02:00.000Z',
      }),
    );
  }
  const look = () => createWatchNight(ports)({});
  const noted = () => JSON.parse(objects.get(`${folder}/course.json`) ?? '{}') as unknown;
  return { ...seen, look, noted };
}

describe('watchNight', () => {
  it('watchNight widens a night that is held up by a queue which gives nothing, and notes the width first', async () => {
    const night = await aNight();
    expect(await night.look()).toMatchObject({ nights: [{ outcome: 'widened', width: 8 }] });
    expect(night.updates).toEqual([{ maxConcurrency: 8 }]);
    expect(night.noted()).toMatchObject({ widths: [6, 8] });
    expect(night.counts.get('NightsWidened')).toBe(1);
  });

  it('watchNight tells people once of tenants that stay late', async () => {
    const night = await aNight();
    await night.look();
    await night.look();
    expect(night.told).toHaveLength(1);
    expect(night.told[0]).toContain('widened from 6 to 8 tenants at a time');
    expect(night.noted()).toMatchObject({ told: true });
  });

  it('watchNight leaves a night alone that is in time', async () => {
    const night = await aNight({ dry: false });
    expect(await night.look()).toMatchObject({ nights: [{ outcome: 'on-course', late: 0 }] });
    expect([night.updates, night.told]).toEqual([[], []]);
  });

  it.each([
    ['whose width an operator has set', { map: { maxConcurrency: 3 } }, 'steered-by-hand'],
    ['that was loaded without a note of its width', { note: null }, 'not-planned'],
    ['whose Map has ended', { map: { status: 'SUCCEEDED' as const } }, 'no-map'],
  ])('watchNight changes nothing of a night %s', async (_, facts, outcome) => {
    const night = await aNight(facts);
    expect(await night.look()).toEqual({ nights: [{ outcome }] });
    expect([night.updates, night.told]).toEqual([[], []]);
  });

  it('watchNight bears a Map that ends while it looks, and no other fault', async () => {
    const ended = new EpsilonError('MAP_RUN_NOT_RUNNING', 'over');
    const over = await aNight({ update: () => Promise.reject(ended) });
    expect(await over.look()).toMatchObject({ nights: [{ outcome: 'on-course' }] });
    const broken = await aNight({ update: () => Promise.reject(new Error('no answer')) });
    await expect(broken.look()).rejects.toThrow('no answer');
    // The next look sees the width that was not set, which is one of its own.
    expect(broken.noted()).toMatchObject({ widths: [6, 8] });
  });
});
