import { describe, expect, it } from 'vitest';
import {
  modelsToForget,
  outputsToDelete,
  recordsPolicy,
  runsToForget,
} from '../../../lib/backup/record-retention.ts';
import { expiredPoints } from '../../../lib/backup/retention.ts';
import type { LiveModel, ModelVersion } from '../../../lib/training/models/model.ts';
import { aModel, anAttempt, aRun } from '../../fixtures/records.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.parse('2026-11-26T12:30:00Z');
const policy = { keepDays: 7, keepAtLeast: 3 };

/** A point of so many hours ago; its id says how many. */
const ago = (hours: number) => ({ id: String(hours), takenAt: new Date(now - hours * hour).toISOString() });
const every = (step: number, until: number) =>
  Array.from({ length: Math.floor(until / step) }, (_, index) => ago(index * step));
const keptOf = (points: ReturnType<typeof ago>[], verified: string[], over = policy) => {
  const gone = new Set(expiredPoints(points, new Set(verified), over, now));
  return points.filter(({ id }) => !gone.has(id)).map(({ id }) => id);
};

describe('points whose time is over', () => {
  it('go when they are older than the days that points are kept', () => {
    expect(keptOf([ago(0), ago(1), ago(1.5), ago(24 * 6), ago(24 * 9)], ['0'])).toEqual([
      '0',
      '1',
      '1.5',
      '144',
    ]);
  });

  it('are thinned: all of two hours, one an hour of two days, one a day after that', () => {
    const kept = keptOf(every(0.1, 24 * 10), ['0']).map(Number);
    expect(kept.filter((hours) => hours < 2)).toHaveLength(20);
    expect(kept.filter((hours) => hours >= 2 && hours < 48)).toHaveLength(46);
    expect(kept.filter((hours) => hours >= 48)).toHaveLength(5);
    expect(Math.max(...kept)).toBeLessThan(7 * 24);
  });

  it('stay as long as no newer one was verified, and the newest verified one stays', () => {
    const old = [ago(24 * 20), ago(24 * 19), ago(24 * 18), ago(24 * 17)];
    expect(keptOf(old, [])).toHaveLength(4);
    expect(keptOf([...old, ago(24 * 8), ago(0), ago(0.1), ago(0.2)], [old[3]?.id ?? ''])).toEqual([
      '408',
      '192',
      '0',
      '0.1',
      '0.2',
    ]);
  });

  it('stay while there are no more than are kept in any case, however old they are', () => {
    expect(keptOf([ago(24 * 90), ago(24 * 80), ago(24 * 70), ago(24 * 60)], ['1440'])).toEqual([
      '1920',
      '1680',
      '1440',
    ]);
  });
});

const model = (tenantId: string, index: number): ModelVersion =>
  aModel({
    tenantId,
    modelVersion: `M${String(index).padStart(3, '0')}`,
    runId: `${tenantId}-${index}`,
    logicalDate: '2026-11-01',
    createdAt: '2026-11-01T00:00:00.000Z',
  });

const live = (of: ModelVersion, previous?: ModelVersion): LiveModel => {
  const { tenantId, modelVersion, modelUri, indexUri, dataUri, cacheUri } = of;
  const previousVersion = previous ? { previousVersion: previous.modelVersion } : {};
  return {
    tenantId,
    modelVersion,
    ...previousVersion,
    modelUri,
    indexUri,
    dataUri,
    cacheUri,
    fence: 1,
    promotedAt: '',
    reason: 'run',
  };
};

describe('models on record', () => {
  const models = [1, 2, 3, 4, 5, 6, 7].map((index) => model('acme', index));
  const forgotten = (lives: LiveModel[], modelsKept: number) =>
    modelsToForget([...models, model('zeta', 1)], lives, { modelsKept }).map(
      ({ modelVersion }) => modelVersion,
    );

  it('go when newer ones are kept, and never while they are live or the ones before', () => {
    const [first, second] = models as [ModelVersion, ModelVersion];
    expect(forgotten([live(first, second)], 3)).toEqual(['M004', 'M003']);
    expect(forgotten([live(first, second)], 0)).toEqual(['M007', 'M006', 'M005', 'M004', 'M003', 'M001']);
    expect(forgotten([], 100)).toEqual([]);
  });
});

const ended = (runId: string, daysAgo: number, over = {}) =>
  aRun({
    runId,
    status: 'succeeded',
    startedAt: new Date(now - daysAgo * day - hour).toISOString(),
    finishedAt: new Date(now - daysAgo * day).toISOString(),
    ...over,
  });

describe('runs on record', () => {
  const runs = Array.from({ length: 100 }, (_, index) => ended(`acme-${index}`, index));

  it('go when they are old, not among the newest of their tenant, and no model names them', () => {
    const gone = runsToForget(runs, [model('acme', 40)], { runDays: 30 }, now).map(({ runId }) => runId);
    expect(gone).toHaveLength(100 - 31 - 1);
    expect(gone).not.toContain('acme-40');
    expect(gone).not.toContain('acme-30');
    expect(runsToForget(runs.slice(-10), [], { runDays: 30 }, now)).toEqual([]);
  });

  it('stay while they run, however long that is', () => {
    const open = ended('acme-old', 99, { status: 'running', finishedAt: undefined });
    expect(runsToForget([...runs.slice(0, 20), open], [], { runDays: 30 }, now)).toEqual([]);
  });

  it.each([
    [{ runDays: 14 }, 'RETENTION_RANGE'],
    [{ runDays: 0 }, 'CONFIG_INVALID'],
    [{ modelsKept: -1 }, 'CONFIG_INVALID'],
    [{ years: 1 }, 'CONFIG_INVALID'],
  ])('B16: the policy %j is refused', (given, code) => {
    expect(() => recordsPolicy(given)).toThrow(expect.objectContaining({ code }));
  });
});

describe('outputs of runs', () => {
  const folder = (runId: string, daysAgo = 99) => ({
    prefix: `bucket/acme/runs/${runId}/`,
    runId,
    changedAt: now - daysAgo * day,
  });
  const deleted = (
    runId: string,
    run: ReturnType<typeof aRun> | undefined,
    models: ModelVersion[] = [],
    lives: LiveModel[] = [],
  ) =>
    outputsToDelete(
      [folder(runId)],
      {
        runs: new Map(run ? [[runId, run]] : []),
        attempts: new Map([
          [
            runId,
            [
              anAttempt({
                runId,
                stage: 'train',
                status: 'failed',
                settledAt: 'x',
                outputUri: `s3://bucket/acme/runs/${runId}/train/1/`,
              }),
              anAttempt({
                runId,
                stage: 'train',
                status: 'succeeded',
                settledAt: 'x',
                outputUri: `s3://bucket/acme/runs/${runId}/train/2/`,
              }),
            ],
          ],
        ]),
        models,
        lives,
      },
      { runDays: 30 },
      now,
    );

  it('go whole once the run can no longer be redriven and no model is on record, and stay until then', () => {
    expect(deleted('acme-1', ended('acme-1', 16, { status: 'failed' }))).toEqual([
      'bucket/acme/runs/acme-1/',
    ]);
    expect(deleted('acme-1', ended('acme-1', 14, { status: 'failed' }))).toEqual([]);
    expect(deleted('acme-1', ended('acme-1', 99, { status: 'running' }))).toEqual([]);
  });

  it('of failed attempts go when the run has succeeded and its model is on record', () => {
    const own = { ...model('acme', 1), modelUri: 's3://bucket/acme/runs/acme-1/train/2/model.bin' };
    expect(deleted('acme-1', ended('acme-1', 2), [own])).toEqual(['bucket/acme/runs/acme-1/train/1/']);
    expect(deleted('acme-1', ended('acme-1', 0.5), [own])).toEqual([]);
    expect(deleted('acme-1', ended('acme-1', 2, { status: 'failed' }), [own])).toEqual([]);
  });

  it('F41: stay wherever a model on record or a live pair names them, whatever the run says', () => {
    const named = model('acme', 1);
    expect(deleted('acme-1', undefined, [], [live(named)])).toEqual([]);
    expect(deleted('acme-1', ended('acme-1', 99), [], [live(named)])).toEqual([]);
    expect(deleted('acme-1', ended('acme-1', 99), [named])).toEqual([]);
    expect(deleted('acme-1', undefined)).toEqual(['bucket/acme/runs/acme-1/']);
  });

  it('of no run on record stay as long as runs do', () => {
    const facts = { runs: new Map(), attempts: new Map(), models: [], lives: [] };
    expect(outputsToDelete([folder('x', 29)], facts, { runDays: 30 }, now)).toEqual([]);
    expect(outputsToDelete([folder('x', 31)], facts, { runDays: 30 }, now)).toEqual(['bucket/acme/runs/x/']);
  });
});
