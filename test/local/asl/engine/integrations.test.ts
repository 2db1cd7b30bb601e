import { describe, expect, it } from 'vitest';
import { machine, makeBench, waitForToken } from '../harness.ts';

const task = (resource: string, Arguments: unknown, more: Record<string, unknown> = {}) =>
  machine({
    T: { Type: 'Task', Resource: `arn:aws:states:::${resource}`, Arguments, End: true, ...more },
  });

describe('events:putEvents', () => {
  it('says where its entries come from, after the resources they name', async () => {
    const bench = makeBench();
    const entry = { Source: 's', DetailType: 't', Detail: {} };
    const done = await bench.run(
      task('events:putEvents', { Entries: [entry, { ...entry, Resources: ['own'] }] }),
    );
    const sources = ['arn:aws:states:local:000000000000:stateMachine:m', done.executionArn];
    expect(done.output).toMatchObject({
      Entries: [{ Resources: sources }, { Resources: ['own', ...sources] }],
    });
  });

  it('fails with EventBridge.FailedEntry and every answer when one entry is refused', async () => {
    const answer = { FailedEntryCount: 1, Entries: [{ EventId: '1' }, { ErrorCode: 'MalformedDetail' }] };
    const bench = makeBench({ integrations: { putEvents: async () => answer } });
    const done = await bench.run(task('events:putEvents', { Entries: [{}, {}] }));
    expect(done).toMatchObject({ error: 'EventBridge.FailedEntry', cause: JSON.stringify(answer) });
  });
});

describe('states:startExecution', () => {
  const child = machine({ P: { Type: 'Pass', End: true } });

  it.each([
    ['an object', { a: 1 }, { a: 1 }],
    ['JSON text', '{% $string({"a": 1}) %}', { a: 1 }],
    ['nothing', undefined, {}],
  ])('takes %s as input and describes the child whole', async (_, Input, output) => {
    const bench = makeBench();
    bench.engine.registerMachine({ name: 'child', definition: child });
    const done = await bench.run(
      task('states:startExecution.sync:2', {
        StateMachineArn: 'child',
        Name: 'c',
        ...(Input === undefined ? {} : { Input }),
      }),
    );
    expect(done.output).toMatchObject({
      Name: 'c',
      Input: output,
      Output: output,
      InputDetails: { Included: true },
      OutputDetails: { Included: true },
      RedriveCount: 0,
      RedriveStatus: 'NOT_REDRIVABLE',
      Status: 'SUCCEEDED',
    });
  });

  it('refuses text that is no JSON by the service’s name', async () => {
    const bench = makeBench();
    bench.engine.registerMachine({ name: 'child', definition: child });
    const done = await bench.run(task('states:startExecution', { StateMachineArn: 'child', Input: 'hello' }));
    expect(done).toMatchObject({
      status: 'FAILED',
      error: 'StepFunctions.InvalidExecutionInputException',
    });
  });
});

describe('arguments that would not be heeded', () => {
  it.each([
    ['lambda:invoke', { FunctionName: 'f', InvocationType: 'Event' }, 'InvocationType'],
    ['lambda:invoke', { FunctionName: 'f', ClientContext: 'x' }, 'ClientContext'],
    ['states:startExecution', { StateMachineArn: 'm', Mode: 'x' }, 'Mode'],
    ['events:putEvents', { Entries: [], EndpointId: 'x' }, 'EndpointId'],
  ])('of %s %j are refused when loaded', (resource, given, field) => {
    const { engine } = makeBench();
    expect(() => engine.registerMachine({ name: 'm', definition: task(resource, given) })).toThrow(
      `States.T.Arguments.${field}`,
    );
  });
});

describe('mocks', () => {
  it.each([
    ['lambda:invoke', { FunctionName: 'f' }, []],
    ['lambda:invoke.waitForTaskToken', waitForToken('f')['Arguments'], ['TaskSubmitted']],
    ['states:startExecution.sync:2', { StateMachineArn: 'x' }, ['TaskSubmitted']],
  ])('of %s keep the events of the pattern', async (resource, given, submitted) => {
    const bench = makeBench({ options: { mock: () => ({ Return: 'mocked' }) } });
    const done = await bench.run(task(resource, given));
    expect(done.output).toBe('mocked');
    expect((await bench.types(done.executionArn)).slice(2, -2)).toEqual([
      'TaskScheduled',
      'TaskStarted',
      ...submitted,
      'TaskSucceeded',
    ]);
  });
});
