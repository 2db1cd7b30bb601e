import { describe, expect, it } from 'vitest';
import type { Bench } from '../harness.ts';
import { invoke, machine, makeBench, waitForToken } from '../harness.ts';

/**
 * The order of events and the chain of `previousEventId` as executions on the service were seen to have them: an event
 * follows the one that brought it about, which is not always the one before it.
 */
async function lines({ engine }: Bench, arn: string): Promise<string[]> {
  const events = await engine.getExecutionHistory(arn, { limit: 1_000 });
  return events.map(({ id, previousEventId, type }) => `${id} ${previousEventId} ${type}`);
}

async function details({ engine }: Bench, arn: string, type: string): Promise<Record<string, unknown>[]> {
  const events = await engine.getExecutionHistory(arn, { limit: 1_000 });
  return events
    .filter((event) => event.type === type)
    .map(({ id: _id, previousEventId: _previous, timestamp: _at, type: _type, ...rest }) => rest);
}

const block = (states: Record<string, unknown>) => ({ StartAt: Object.keys(states)[0], States: states });
const pass = { Type: 'Pass', End: true };
const fails = () => {
  throw Object.assign(new Error('no'), { name: 'Own' });
};

describe('the chain of events', () => {
  it('begins anew after ExecutionStarted and runs through states and retries', async () => {
    let calls = 0;
    const bench = makeBench({ functions: { f: () => (++calls < 2 ? fails() : 1) } });
    const retry = [{ ErrorEquals: ['Own'], MaxAttempts: 1 }];
    const done = await bench.run(
      machine({ A: { Type: 'Pass', Next: 'T' }, T: invoke('f', { Retry: retry, End: true }) }),
    );
    expect(await lines(bench, done.executionArn)).toEqual([
      '1 0 ExecutionStarted',
      '2 0 PassStateEntered',
      '3 2 PassStateExited',
      '4 3 TaskStateEntered',
      '5 4 TaskScheduled',
      '6 5 TaskStarted',
      '7 6 TaskFailed',
      '8 7 TaskScheduled',
      '9 8 TaskStarted',
      '10 9 TaskSucceeded',
      '11 10 TaskStateExited',
      '12 11 ExecutionSucceeded',
    ]);
  });

  it('of iterations one after the other goes from the last state of one to the start of the next', async () => {
    const bench = makeBench();
    const done = await bench.run(
      machine({
        M: { Type: 'Map', Items: [1, 2], MaxConcurrency: 1, ItemProcessor: block({ P: pass }), End: true },
      }),
    );
    expect(await lines(bench, done.executionArn)).toEqual([
      '1 0 ExecutionStarted',
      '2 0 MapStateEntered',
      '3 2 MapStateStarted',
      '4 3 MapIterationStarted',
      '5 4 PassStateEntered',
      '6 5 PassStateExited',
      '7 6 MapIterationSucceeded',
      '8 6 MapIterationStarted',
      '9 8 PassStateEntered',
      '10 9 PassStateExited',
      '11 10 MapIterationSucceeded',
      '12 11 MapStateSucceeded',
      '13 11 MapStateExited',
      '14 13 ExecutionSucceeded',
    ]);
  });

  it('of iterations side by side leads each to its own start, and what a failure aborts follows the failure', async () => {
    const waiting = makeBench({ functions: { f: () => ({}) } });
    const wait = { TimeoutSeconds: '{% $states.input = 1 ? 5 : 9 %}', End: true };
    const definition = machine({
      M: { Type: 'Map', Items: [1, 2], ItemProcessor: block({ T: waitForToken('f', wait) }), End: true },
    });
    const done = await waiting.run(definition);
    expect(await lines(waiting, done.executionArn)).toEqual([
      '1 0 ExecutionStarted',
      '2 0 MapStateEntered',
      '3 2 MapStateStarted',
      '4 3 MapIterationStarted',
      '5 3 MapIterationStarted',
      '6 4 TaskStateEntered',
      '7 6 TaskScheduled',
      '8 7 TaskStarted',
      '9 5 TaskStateEntered',
      '10 9 TaskScheduled',
      '11 10 TaskStarted',
      '12 8 TaskSubmitted',
      '13 11 TaskSubmitted',
      '14 12 TaskTimedOut',
      '15 14 MapIterationFailed',
      '16 14 TaskStateAborted',
      '17 14 MapIterationAborted',
      '18 14 TaskStateAborted',
      '19 14 MapStateFailed',
      '20 19 ExecutionFailed',
    ]);
  });

  it('of a Parallel that is retried has no failure of the state in between', async () => {
    const bench = makeBench();
    const done = await bench.run(
      machine({
        P: {
          Type: 'Parallel',
          Branches: [block({ F: { Type: 'Fail', Error: 'Own' } })],
          Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }],
          End: true,
        },
        C: pass,
      }),
    );
    expect(done.output).toEqual({ Error: 'Own', Cause: null });
    expect(await lines(bench, done.executionArn)).toEqual([
      '1 0 ExecutionStarted',
      '2 0 ParallelStateEntered',
      '3 2 ParallelStateStarted',
      '4 3 FailStateEntered',
      '5 4 ParallelStateStarted',
      '6 5 FailStateEntered',
      '7 6 ParallelStateFailed',
      '8 7 ParallelStateExited',
      '9 8 PassStateEntered',
      '10 9 PassStateExited',
      '11 10 ExecutionSucceeded',
    ]);
  });

  it('of a Parallel goes on from its branch that ended last', async () => {
    const bench = makeBench();
    const done = await bench.run(
      machine({ P: { Type: 'Parallel', Branches: [block({ A: pass }), block({ B: pass })], End: true } }),
    );
    expect(await lines(bench, done.executionArn)).toEqual([
      '1 0 ExecutionStarted',
      '2 0 ParallelStateEntered',
      '3 2 ParallelStateStarted',
      '4 3 PassStateEntered',
      '5 4 PassStateExited',
      '6 3 PassStateEntered',
      '7 6 PassStateExited',
      '8 7 ParallelStateSucceeded',
      '9 7 ParallelStateExited',
      '10 9 ExecutionSucceeded',
    ]);
  });

  it('of a distributed Map leaves it from the start of its run; a reader brings the items while it runs', async () => {
    const processor = {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      ...block({ P: pass }),
    };
    const reader = (Key: string) => ({
      Resource: 'arn:aws:states:::s3:getObject',
      Arguments: { Bucket: 'b', Key },
    });
    const bench = makeBench({ objects: new Map([['b/items', '[1,2]']]) });
    const run = (Key: string) =>
      bench.run(
        machine({ M: { Type: 'Map', ItemReader: reader(Key), ItemProcessor: processor, End: true } }),
      );
    const done = await run('items');
    expect(await lines(bench, done.executionArn)).toEqual([
      '1 0 ExecutionStarted',
      '2 0 MapStateEntered',
      '3 2 MapStateStarted',
      '4 3 MapRunStarted',
      '5 4 MapRunSucceeded',
      '6 5 MapStateSucceeded',
      '7 4 MapStateExited',
      '8 7 ExecutionSucceeded',
    ]);
    expect(await details(bench, done.executionArn, 'MapStateStarted')).toEqual([
      { mapStateStartedEventDetails: { length: 0 } },
    ]);
    const failed = await run('nothing');
    expect((await lines(bench, failed.executionArn)).slice(2)).toEqual([
      '3 2 MapStateStarted',
      '4 3 MapRunStarted',
      '5 4 MapRunFailed',
      '6 5 MapStateFailed',
      '7 6 ExecutionFailed',
    ]);
    expect(await bench.engine.listMapRuns(failed.executionArn)).toMatchObject([
      { status: 'FAILED', itemCounts: { total: 0 } },
    ]);
  });

  it('has nothing before what ends an execution from outside', async () => {
    const bench = makeBench();
    bench.engine.registerMachine({
      name: 'm',
      definition: machine({ W: { Type: 'Wait', Seconds: 9, End: true } }),
    });
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
    await bench.clock.advance(0);
    await bench.engine.stopExecution(executionArn, { error: 'E', cause: 'c' });
    expect((await lines(bench, executionArn)).slice(1)).toEqual([
      '2 0 WaitStateEntered',
      '3 0 ExecutionAborted',
    ]);
  });
});

describe('a failed evaluation', () => {
  it.each([
    ['Pass', 'Output', { Type: 'Pass', Output: '{% $nothing %}' }, 0],
    ['Pass', 'Output/a', { Type: 'Pass', Output: { a: '{% $nothing %}' } }, 0],
    ['Pass', 'Output/a[1]/b', { Type: 'Pass', Output: { a: [0, { b: '{% $nothing %}' }] } }, 0],
    ['Pass', 'Assign/a', { Type: 'Pass', Assign: { a: '{% $nothing %}' } }, 0],
    ['Task', 'Arguments/FunctionName', invoke('f', { Arguments: { FunctionName: '{% $nothing %}' } }), 0],
    ['Task', 'TimeoutSeconds', invoke('f', { TimeoutSeconds: '{% 0 %}' }), 0],
    ['Wait', 'Timestamp', { Type: 'Wait', Timestamp: "{% '2016-12-05 21:29:29Z' %}" }, 2],
    ['Wait', 'Seconds', { Type: 'Wait', Seconds: '{% -1 %}' }, 2],
  ])(
    'of %s names its field, %s, and follows what the service has it follow',
    async (_, location, state, previous) => {
      const bench = makeBench();
      const done = await bench.run(machine({ S: { ...state, End: true } }));
      expect(await lines(bench, done.executionArn)).toContain(`3 ${previous} EvaluationFailed`);
      expect(await details(bench, done.executionArn, 'EvaluationFailed')).toEqual([
        {
          evaluationFailedEventDetails: {
            state: 'S',
            location,
            error: 'States.QueryEvaluationError',
            cause: expect.any(String),
          },
        },
      ]);
    },
  );

  it('of a Map’s Items fails the Map; without Items no field is named', async () => {
    const bench = makeBench();
    const map = (more: Record<string, unknown>) =>
      machine({ M: { Type: 'Map', ...more, ItemProcessor: block({ P: pass }), End: true } });
    const done = await bench.run(map({ Items: '{% 1 %}' }));
    expect((await lines(bench, done.executionArn)).slice(1)).toEqual([
      '2 0 MapStateEntered',
      '3 0 EvaluationFailed',
      '4 3 MapStateFailed',
      '5 4 ExecutionFailed',
    ]);
    const own = await bench.run(map({}), 7);
    const [{ evaluationFailedEventDetails: found } = {}] = await details(
      bench,
      own.executionArn,
      'EvaluationFailed',
    );
    expect(found).not.toHaveProperty('location');
  });

  it('in a rule and in a catcher names its place there', async () => {
    const bench = makeBench({ functions: { f: fails } });
    const choice = await bench.run(
      machine({ C: { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'P' }] }, P: pass }),
    );
    const place = async (arn: string) => {
      const [{ evaluationFailedEventDetails: found } = {}] = await details(bench, arn, 'EvaluationFailed');
      return (found as { location?: string } | undefined)?.location;
    };
    expect(await place(choice.executionArn)).toBe('Choices[0]/Condition');
    const caught = await bench.run(
      machine({
        T: invoke('f', {
          Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $nothing %}', Next: 'P' }],
          Next: 'P',
        }),
        P: pass,
      }),
    );
    expect(caught.error).toBe('States.QueryEvaluationError');
    expect(await place(caught.executionArn)).toBe('Catch[0]/Output');
  });
});

describe('a failure without name or cause', () => {
  it('of a Fail state leaves both out', async () => {
    const bench = makeBench();
    const done = await bench.run(machine({ F: { Type: 'Fail' } }));
    expect(done).not.toHaveProperty('error');
    expect(await details(bench, done.executionArn, 'ExecutionFailed')).toEqual([
      { executionFailedEventDetails: {} },
    ]);
  });

  it('of a callback is null for the catcher', async () => {
    let token = '';
    const bench = makeBench({
      functions: {
        f: (payload: { token: string }) => {
          token = payload.token;
        },
      },
    });
    const definition = machine({
      T: waitForToken('f', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }], End: true }),
      C: pass,
    });
    bench.engine.registerMachine({ name: 'm', definition });
    const { executionArn } = await bench.engine.startExecution({ machine: 'm', input: {} });
    await bench.clock.advance(0);
    await bench.engine.sendTaskFailure(token, {});
    expect((await bench.until(executionArn)).output).toEqual({ Error: null, Cause: null });
    expect(await details(bench, executionArn, 'TaskFailed')).toEqual([
      { taskFailedEventDetails: { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' } },
    ]);
  });
});
