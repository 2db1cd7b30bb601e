import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileMachine, faultsOf } from '../../../../local/asl/definition/compile.ts';
import { checkExecutionName } from '../../../../local/asl/model/names.ts';
import { invoke, machine, makeBench } from '../harness.ts';

const pass = { Type: 'Pass', End: true };
const parallel = (states: Record<string, unknown>) => ({
  Type: 'Parallel',
  Branches: [{ StartAt: Object.keys(states)[0], States: states }],
  End: true,
});
const processor = { StartAt: 'I', States: { I: pass } };
const distributed = { ...processor, ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } };
const map = (more: Record<string, unknown>) => ({
  Type: 'Map',
  ItemProcessor: processor,
  ...more,
  End: true,
});
const csv = (config: Record<string, unknown>) => ({
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: 'CSV', ...config },
  Arguments: { Bucket: 'b', Key: 'k' },
});

describe('a definition', () => {
  it.each([
    ['unknown Next', machine({ A: { Type: 'Pass', Next: 'Nowhere' } }), 'States.A', 'ASL_INVALID'],
    ['a state that is never reached', machine({ A: pass, B: pass }), 'States.B', 'ASL_INVALID'],
    [
      'no end',
      machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }),
      'States',
      'ASL_INVALID',
    ],
    ['neither Next nor End', machine({ A: { Type: 'Pass' } }), 'States.A', 'ASL_INVALID'],
    ['unknown StartAt', { ...machine({ A: pass }), StartAt: 'X' }, 'StartAt', 'ASL_INVALID'],
    [
      'MaxAttempts -1',
      machine({ A: invoke('f', { Retry: [{ ErrorEquals: ['X'], MaxAttempts: -1 }], End: true }) }),
      'States.A.Retry[0].MaxAttempts',
      'ASL_INVALID',
    ],
    [
      'BackoffRate 0.5',
      machine({ A: invoke('f', { Retry: [{ ErrorEquals: ['X'], BackoffRate: 0.5 }], End: true }) }),
      'States.A.Retry[0].BackoffRate',
      'ASL_INVALID',
    ],
    [
      'an expression that does not parse',
      machine({ A: { ...pass, Output: '{% $states. %}' } }),
      'States.A.Output',
      'ASL_INVALID',
    ],
    ['$eval', machine({ A: { ...pass, Output: "{% $eval('1') %}" } }), 'States.A.Output', 'ASL_INVALID'],
    [
      'HeartbeatSeconds not below TimeoutSeconds',
      machine({ A: invoke('f', { TimeoutSeconds: 5, HeartbeatSeconds: 5, End: true }) }),
      'States.A.HeartbeatSeconds',
      'ASL_INVALID',
    ],
    [
      'a token task without its token',
      machine({
        A: { ...invoke('f', { End: true }), Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' },
      }),
      'States.A.Arguments',
      'ASL_INVALID',
    ],
    [
      'the JSONPath dialect',
      { ...machine({ A: { ...pass, Output: {} } }), QueryLanguage: 'JSONPath' },
      'QueryLanguage',
      'ASL_UNSUPPORTED',
    ],
    [
      'a JSONPath field',
      machine({ A: { ...pass, ResultPath: '$.x' } }),
      'States.A.ResultPath',
      'ASL_UNSUPPORTED',
    ],
    ['an unknown field', machine({ A: { ...pass, Colour: 'red' } }), 'States.A.Colour', 'ASL_UNSUPPORTED'],
    [
      'an unknown service',
      machine({ A: { ...invoke('f', { End: true }), Resource: 'arn:aws:states:::bedrock:invokeModel' } }),
      'States.A.Resource',
      'ASL_UNSUPPORTED',
    ],
    [
      'EXPRESS children',
      machine({
        M: {
          Type: 'Map',
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' },
            StartAt: 'A',
            States: { A: pass },
          },
          End: true,
        },
      }),
      'States.M.ItemProcessor.ProcessorConfig.ExecutionType',
      'ASL_UNSUPPORTED',
    ],
    [
      'a fault inside a branch',
      machine({
        P: {
          Type: 'Parallel',
          Branches: [{ StartAt: 'A', States: { A: { Type: 'Nope', End: true } } }],
          End: true,
        },
      }),
      'States.P.Branches[0].States.A.Type',
      'ASL_INVALID',
    ],
    [
      'a name of a state used twice',
      machine({ P: parallel({ P: pass }) }),
      'States.P.Branches[0].States.P',
      'ASL_INVALID',
    ],
    [
      'States.ALL among other names',
      machine({ A: invoke('f', { Retry: [{ ErrorEquals: ['X', 'States.ALL'] }], End: true }) }),
      'States.A.Retry[0].ErrorEquals',
      'ASL_INVALID',
    ],
    [
      'a catcher after States.ALL',
      machine({
        A: invoke('f', {
          Catch: [
            { ErrorEquals: ['States.ALL'], Next: 'B' },
            { ErrorEquals: ['X'], Next: 'B' },
          ],
          Next: 'B',
        }),
        B: pass,
      }),
      'States.A.Catch[0].ErrorEquals',
      'ASL_INVALID',
    ],
    ['half an expression', machine({ A: { ...pass, Output: '{% $x' } }), 'States.A.Output', 'ASL_INVALID'],
    [
      'the reserved variable',
      machine({ A: { ...pass, Assign: { states: 1 } } }),
      'States.A.Assign.states',
      'ASL_INVALID',
    ],
    [
      'a variable with a space',
      machine({ A: { ...pass, Assign: { 'a b': 1 } } }),
      'States.A.Assign.a b',
      'ASL_INVALID',
    ],
    ['an Assign that is a list', machine({ A: { ...pass, Assign: [1] } }), 'States.A.Assign', 'ASL_INVALID'],
    [
      'Assign where nothing follows',
      machine({ A: { Type: 'Succeed', Assign: { x: 1 } } }),
      'States.A.Assign',
      'ASL_UNSUPPORTED',
    ],
    ['Next that is a number', machine({ A: { Type: 'Pass', Next: 5 } }), 'States.A.Next', 'ASL_INVALID'],
    [
      'negative Seconds',
      machine({ A: { Type: 'Wait', Seconds: -1, End: true } }),
      'States.A.Seconds',
      'ASL_INVALID',
    ],
    [
      'Seconds in quotes',
      machine({ A: { Type: 'Wait', Seconds: '10', End: true } }),
      'States.A.Seconds',
      'ASL_INVALID',
    ],
    [
      'a Timestamp that is none',
      machine({ A: { Type: 'Wait', Timestamp: 'tomorrow', End: true } }),
      'States.A.Timestamp',
      'ASL_INVALID',
    ],
    [
      'a Task that names no function',
      machine({ A: { ...invoke('f', { End: true }), Arguments: { Payload: {} } } }),
      'States.A.Arguments.FunctionName',
      'ASL_INVALID',
    ],
    [
      'a function name that is no text',
      machine({ A: { ...invoke('f', { End: true }), Arguments: { FunctionName: 5 } } }),
      'States.A.Arguments.FunctionName',
      'ASL_INVALID',
    ],
    [
      'negative MaxConcurrency',
      machine({ M: map({ MaxConcurrency: -1 }) }),
      'States.M.MaxConcurrency',
      'ASL_INVALID',
    ],
    [
      'an unknown Mode',
      machine({ M: map({ ItemProcessor: { ...processor, ProcessorConfig: { Mode: 'BOTH' } } }) }),
      'States.M.ItemProcessor.ProcessorConfig.Mode',
      'ASL_INVALID',
    ],
    [
      'a percentage over 100',
      machine({ M: map({ ItemProcessor: distributed, ToleratedFailurePercentage: 101 }) }),
      'States.M.ToleratedFailurePercentage',
      'ASL_INVALID',
    ],
    [
      'a Label with spaces',
      machine({ M: map({ ItemProcessor: distributed, Label: 'my map' }) }),
      'States.M.Label',
      'ASL_INVALID',
    ],
    [
      'an unknown CSV delimiter',
      machine({ M: map({ ItemProcessor: distributed, ItemReader: csv({ CSVDelimiter: 'COLON' }) }) }),
      'States.M.ItemReader.ReaderConfig.CSVDelimiter',
      'ASL_INVALID',
    ],
    [
      'CSV headers that are said to be given',
      machine({ M: map({ ItemProcessor: distributed, ItemReader: csv({ CSVHeaderLocation: 'GIVEN' }) }) }),
      'States.M.ItemReader.ReaderConfig.CSVHeaders',
      'ASL_INVALID',
    ],
    ['more than 1 MB', machine({ A: { ...pass, Comment: 'x'.repeat(1_100_000) } }), '', 'ASL_INVALID'],
  ])('with %s is refused at its place', (_, definition, path, code) => {
    expect(faultsOf(definition)).toContainEqual(expect.objectContaining({ code, path }));
    expect(() => compileMachine(definition, 'm')).toThrow(expect.objectContaining({ code, exitCode: 2 }));
  });

  it('with several faults is refused with all of them at once', () => {
    const definition = machine({ A: { Type: 'Pass', Next: 'X', Colour: 1 }, B: { Type: 'Nope' } });
    expect(faultsOf(definition).length).toBeGreaterThanOrEqual(3);
  });

  it.each(readdirSync('statemachines'))('in statemachines/%s has no fault', (file) => {
    expect(faultsOf(JSON.parse(readFileSync(`statemachines/${file}`, 'utf8')))).toEqual([]);
  });
});

describe('execution names', () => {
  it.each([
    ['a b', 2],
    ['a/b', 2],
    ['x*', 2],
    ['', 0],
    ['x'.repeat(81), 81],
    ['tab\there', 4],
  ])('%j is refused at position %i', (name, position) => {
    expect(() => checkExecutionName(name)).toThrow(
      expect.objectContaining({ code: 'RUN_NAME_INVALID', details: { position } }),
    );
  });
});

describe('limits of the service', () => {
  it('a payload of more than 256 KiB is States.DataLimitExceeded, which no wildcard catches', async () => {
    const { run } = makeBench({ functions: { f: () => 'x'.repeat(300_000) } });
    const done = await run(
      machine({
        T: invoke('f', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }], End: true }),
        C: { Type: 'Succeed' },
      }),
    );
    expect(done).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('an execution ends when its history has 25,000 events', async () => {
    const { run } = makeBench();
    const done = await run(
      machine({
        A: { Type: 'Pass', Next: 'B' },
        B: { Type: 'Choice', Choices: [{ Condition: false, Next: 'C' }], Default: 'A' },
        C: { Type: 'Succeed' },
      }),
    );
    expect(done).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: expect.stringContaining('25000'),
    });
  });

  it('a start with the same name and input is the same execution while it runs, otherwise refused', async () => {
    const { engine, until } = makeBench();
    engine.registerMachine({
      name: 'm',
      definition: machine({ W: { Type: 'Wait', Seconds: 5, End: true } }),
    });
    const first = await engine.startExecution({ machine: 'm', name: 'n', input: { a: 1 } });
    expect(await engine.startExecution({ machine: 'm', name: 'n', input: { a: 1 } })).toEqual(first);
    await expect(engine.startExecution({ machine: 'm', name: 'n', input: { a: 2 } })).rejects.toMatchObject({
      code: 'EXECUTION_ALREADY_EXISTS',
      exitCode: 3,
    });
    await until(first.executionArn);
    await expect(engine.startExecution({ machine: 'm', name: 'n', input: { a: 1 } })).rejects.toMatchObject({
      code: 'EXECUTION_ALREADY_EXISTS',
    });
    await expect(engine.startExecution({ machine: 'x', input: {} })).rejects.toMatchObject({
      code: 'MACHINE_NOT_FOUND',
    });
  });

  it('TimeoutSeconds of the machine ends it TIMED_OUT', async () => {
    const { run } = makeBench();
    const done = await run(
      machine({ W: { Type: 'Wait', Seconds: 500, End: true } }, { TimeoutSeconds: 100 }),
    );
    expect(done).toMatchObject({
      status: 'TIMED_OUT',
      error: 'States.Timeout',
      stopDate: '2026-11-24T00:01:40.000Z',
    });
  });
});
