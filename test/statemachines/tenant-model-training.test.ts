import { describe, expect, it } from 'vitest';
import { stageNames, stages } from '../../lib/training/stages.ts';
import { failing, machineOf, payload, walk } from './machine-test.ts';

const machine = machineOf('tenant-model-training');
const input = { tenantId: 'acme' };
const good = {
  BeginRun: [payload({ runId: 'r' })],
  PromoteModel: [payload({ modelVersion: 'v' })],
  FinishRun: [payload({ outcome: 'succeeded' })],
};
const normal = [
  'BeginRun',
  'PrepareTrainingData',
  'TrainModel',
  'BuildFaissIndex',
  'DeployAndCache',
  'DeployModel',
  'UpdateRedisCache',
  'PromoteModel',
  'FinishRun',
];
const stageStates = stageNames.map((name) => stages[name].state);

describe('tenant-model-training', () => {
  it('goes its nine states and ends with what FinishRun says', async () => {
    expect(await walk(machine, input, good)).toMatchObject({
      status: 'SUCCEEDED',
      path: normal,
      output: { outcome: 'succeeded' },
    });
  });

  it.each(
    stageStates.flatMap(
      (state) =>
        [
          [state, 'JobFailed', 2, 600],
          [state, 'JobPreempted', 10, undefined],
          [state, 'JobLost', 10, undefined],
        ] as const,
    ),
  )('%s takes %s %i times and no more', async (state, error, times, seconds) => {
    const enough = await walk(machine, input, { ...good, [state]: failing(times, error) });
    expect(enough).toMatchObject({ status: 'SUCCEEDED', calls: { [state]: times + 1 } });
    if (seconds !== undefined) expect(enough.seconds).toBe(seconds);
    const tooMany = await walk(machine, input, { ...good, [state]: failing(times + 1, error) });
    expect(tooMany).toMatchObject({ status: 'FAILED', error });
    expect(tooMany.path.at(-1)).not.toBe('PromoteModel');
  });

  it.each(stageStates)("%s: preemption never spends the job's own retries", async (state) => {
    const mixed = [...failing(10, 'JobPreempted'), ...failing(2, 'JobFailed')].filter(
      (answer) => 'throws' in answer,
    );
    expect(await walk(machine, input, { ...good, [state]: [...mixed, { returns: {} }] })).toMatchObject({
      status: 'SUCCEEDED',
    });
  });

  it.each(stageStates)('%s: a rejection fails at once, at its own state', async (state) => {
    const way = await walk(machine, input, { ...good, [state]: failing(1, 'JobRejected') });
    expect(way).toMatchObject({ status: 'FAILED', error: 'JobRejected', calls: { [state]: 1 } });
  });

  it.each(
    stageStates.flatMap(
      (state) =>
        [
          [state, 'Throttled', 8],
          [state, 'Lambda.TooManyRequestsException', 8],
          [state, 'Lambda.ServiceException', 6],
          [state, 'Lambda.Unknown', 6],
          [state, 'TenantBusy', 5],
          [state, 'States.HeartbeatTimeout', 10],
        ] as const,
    ),
  )('%s takes %s %i times', async (state, error, times) => {
    expect(await walk(machine, input, { ...good, [state]: failing(times, error) })).toMatchObject({
      status: 'SUCCEEDED',
      calls: { [state]: times + 1 },
    });
    expect(await walk(machine, input, { ...good, [state]: failing(times + 1, error) })).toMatchObject({
      status: 'FAILED',
      error,
    });
  });

  it('a closed quality gate ends as skipped, on purpose', async () => {
    const way = await walk(machine, input, { ...good, BeginRun: failing(1, 'QualityGateClosed') });
    expect(way).toMatchObject({
      status: 'SUCCEEDED',
      path: ['BeginRun', 'RunSkipped'],
      output: { outcome: 'skipped', tenantId: 'acme' },
    });
  });

  it('a check of data that nobody has looked at is waited for, for an hour and not for ever', async () => {
    const looked = failing(40, 'QualityCheckPending', payload({ runId: 'r' }));
    const way = await walk(machine, input, { ...good, BeginRun: looked });
    expect(way).toMatchObject({ status: 'SUCCEEDED', path: normal });
    expect(way.seconds).toBeGreaterThan(3_600);
    expect(
      await walk(machine, input, { ...good, BeginRun: failing(41, 'QualityCheckPending') }),
    ).toMatchObject({ status: 'FAILED', error: 'QualityCheckPending', path: ['BeginRun'] });
  });

  it('a busy tenant is waited for, then the run ends as busy', async () => {
    expect(
      await walk(machine, input, { ...good, BeginRun: failing(10, 'TenantBusy', payload({ runId: 'r' })) }),
    ).toMatchObject({ status: 'SUCCEEDED', path: normal });
    const way = await walk(machine, input, { ...good, BeginRun: failing(11, 'TenantBusy') });
    expect(way).toMatchObject({
      status: 'SUCCEEDED',
      path: ['BeginRun', 'RunBusy'],
      output: { outcome: 'busy' },
    });
    expect(way.seconds).toBeLessThan(2 * 3600);
  });

  it.each(['BeginRun', 'PromoteModel', 'FinishRun'])(
    '%s is tried again when the platform stumbles, never when it refuses',
    async (state) => {
      const answer = good[state as keyof typeof good][0] ?? payload({});
      expect(
        await walk(machine, input, { ...good, [state]: failing(6, 'Lambda.ServiceException', answer) }),
      ).toMatchObject({ status: 'SUCCEEDED' });
      expect(await walk(machine, input, { ...good, [state]: failing(8, 'Throttled', answer) })).toMatchObject(
        { status: 'SUCCEEDED' },
      );
      expect(await walk(machine, input, { ...good, [state]: failing(1, 'StaleFence') })).toMatchObject({
        status: 'FAILED',
        error: 'StaleFence',
        calls: { [state]: 1 },
      });
    },
  );
});
