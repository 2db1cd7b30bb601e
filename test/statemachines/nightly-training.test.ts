import { describe, expect, it } from 'vitest';
import { failing, machineOf, payload, walk } from './machine-test.ts';

/** The night with its Map run inline over a given list: the file reader and the result writer belong to the runtime's tests. */
function night(tenants: readonly string[]) {
  const machine = machineOf('nightly-training') as { States: Record<string, Record<string, unknown>> };
  const {
    ItemReader: _reader,
    ResultWriter: _writer,
    ...map
  } = machine.States['TrainTenants'] as Record<string, unknown>;
  return {
    ...machine,
    States: {
      ...machine.States,
      TrainTenants: { ...map, Items: tenants.map((tenantId) => ({ tenantId, plan: {} })) },
    },
  };
}

const loaded = {
  logicalDate: '2026-11-24',
  trigger: 'schedule',
  traceId: 't',
  round: 0,
  tenants: 2,
  bucket: 'b',
  key: 'k',
  firstKey: 'f',
  maxConcurrency: 2,
  suffix: '',
};
const input = { scheduledTime: '2026-11-24T02:00:00Z' };

describe('nightly-training', () => {
  it('loads, trains, judges', async () => {
    const way = await walk(night(['a', 'b']), input, {
      LoadTenants: [payload(loaded)],
      TrainTenant: [{ returns: { Output: {} } }],
      JudgeNight: [payload({ succeeded: 2 })],
    });
    expect(way).toMatchObject({
      status: 'SUCCEEDED',
      path: ['LoadTenants', 'TrainTenants', 'JudgeNight'],
      output: { succeeded: 2 },
      calls: { TrainTenant: 2 },
    });
  });

  it("tolerates every tenant's failure: only the judge fails a night", async () => {
    const way = await walk(night(['a', 'b']), input, {
      LoadTenants: [payload(loaded)],
      TrainTenant: failing(99, 'States.TaskFailed'),
      JudgeNight: [payload({ failed: 2 })],
    });
    expect(way).toMatchObject({ status: 'SUCCEEDED', calls: { TrainTenant: 2 } });
  });

  it('fails at the judge, so that a redrive continues there', async () => {
    const way = await walk(night([]), input, {
      LoadTenants: [payload(loaded)],
      JudgeNight: failing(1, 'NightBelowTarget'),
    });
    expect(way).toMatchObject({ status: 'FAILED', error: 'NightBelowTarget' });
    expect(way.path.at(-1)).toBe('JudgeNight');
  });

  it('a judge that misses tenants after a redrive sends the night round once more', async () => {
    const way = await walk(night(['a']), input, {
      LoadTenants: [payload(loaded)],
      TrainTenant: [{ returns: { Output: {} } }],
      JudgeNight: [{ throws: 'NightIncomplete' }, payload({})],
    });
    expect(way.path).toEqual([
      'LoadTenants',
      'TrainTenants',
      'JudgeNight',
      'LoadTenants',
      'TrainTenants',
      'JudgeNight',
    ]);
  });

  it('a second delivery ends as a duplicate', async () => {
    const way = await walk(night([]), input, { LoadTenants: failing(1, 'AlreadyClaimed') });
    expect(way).toMatchObject({
      status: 'SUCCEEDED',
      path: ['LoadTenants', 'DuplicateDelivery'],
      output: { outcome: 'duplicate' },
    });
  });

  it.each([
    ['LoadTenants', 'NightOverlaps', 144],
    ['LoadTenants', 'Throttled', 8],
    ['LoadTenants', 'Lambda.SdkClientException', 6],
    ['JudgeNight', 'Throttled', 8],
    ['JudgeNight', 'Lambda.AWSLambdaException', 6],
    ['TrainTenant', 'StepFunctions.ThrottlingException', 8],
    ['TrainTenant', 'StepFunctions.ExecutionLimitExceeded', 8],
    ['TrainTenant', 'StepFunctions.ExecutionLimitExceededException', 8],
    ['TrainTenant', 'StepFunctions.AWSStepFunctionsException', 8],
    ['TrainTenant', 'StepFunctions.SdkClientException', 8],
  ])('F58: %s takes %s %i times', async (state, error, times) => {
    const answers = {
      LoadTenants: [payload(loaded)],
      TrainTenant: [{ returns: { Output: {} } }],
      JudgeNight: [payload({})],
    };
    const answer = answers[state as keyof typeof answers][0] ?? payload({});
    expect(
      await walk(night(['a']), input, { ...answers, [state]: failing(times, error, answer) }),
    ).toMatchObject({ status: 'SUCCEEDED', calls: { [state]: times + 1 } });
  });
});
