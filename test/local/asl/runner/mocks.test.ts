import { describe, expect, it } from 'vitest';
import { readMocks } from '../../../../local/asl/runner/mocks.ts';
import { runDefinition } from '../../../../local/asl/runner/run-definition.ts';
import { invoke, machine, midnight, waitForToken } from '../harness.ts';

const local = (states: Record<string, string>, MockedResponses: Record<string, unknown>) => ({
  StateMachines: { m: { TestCases: { t: states } } },
  MockedResponses,
});

async function run(states: Record<string, unknown>, mocks: unknown) {
  return runDefinition({ definition: machine(states), input: {}, mock: readMocks(mocks), startAt: midnight });
}

describe('mocks of a time-out', () => {
  const late = { '0': { Throw: { Error: 'States.Timeout', Cause: 'late' } } };
  const silent = { '0': { Throw: { Error: 'States.HeartbeatTimeout', Cause: 'silent' } } };

  it.each([
    ['let TimeoutSeconds pass', invoke('f', { TimeoutSeconds: 90, End: true }), late, 'States.Timeout', 90],
    [
      'let HeartbeatSeconds pass',
      waitForToken('f', { HeartbeatSeconds: 30, End: true }),
      silent,
      'States.HeartbeatTimeout',
      30,
    ],
    [
      'are over at once where the Task has no time of its own',
      invoke('f', { End: true }),
      late,
      'States.Timeout',
      0,
    ],
  ])('%s', async (_, state, response, error, seconds) => {
    const done = await run({ T: state }, local({ T: 'r' }, { r: response }));
    expect(done).toMatchObject({ status: 'FAILED', error });
    const timedOut = done.history.find(({ type }) => type === 'TaskTimedOut');
    expect(Date.parse(String(timedOut?.timestamp)) - midnight).toBe(seconds * 1_000);
  });
});

describe("TestState's mocks", () => {
  it('answer every Task when there is one', async () => {
    const done = await run(
      { T: invoke('f', { Output: '{% $states.result.a %}', End: true }) },
      { result: '{"a": 1}' },
    );
    expect(done.output).toBe(1);
  });

  it('answer by state, the calls of one after each other, errors too', async () => {
    const done = await run(
      {
        A: invoke('f', { Retry: [{ ErrorEquals: ['E'] }], Next: 'B' }),
        B: invoke('f', { Output: '{% $states.result %}', End: true }),
      },
      {
        A: [
          { errorOutput: { error: 'E', cause: 'c' } },
          { result: '{"Payload": 1}', fieldValidationMode: 'NONE' },
        ],
        B: { result: '"b"' },
      },
    );
    expect(done.output).toBe('b');
    expect(done.history.filter(({ type }) => type === 'TaskFailed')).toHaveLength(1);
  });

  it.each([
    ['a result that is no JSON text', { result: '{' }, /no JSON text/],
    ['an unknown field', { result: '1', more: 1 }, /neither TestState's nor/],
    ['both', { result: '1', errorOutput: {} }, /neither TestState's nor/],
  ])('are refused with %s', (_, mocks, message) => {
    expect(() => readMocks(mocks)).toThrow(message);
  });
});
