import { z } from 'zod';
import { checkSchema } from '../../../lib/errors/check-schema.ts';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import type { Json } from '../model/json.ts';
import type { Mock, MockedResponse } from '../model/mock.ts';

const response = z.union([
  z.strictObject({ Return: z.unknown() }),
  z.strictObject({ Throw: z.strictObject({ Error: z.string(), Cause: z.string().default('') }) }),
]);

const configuration = z.strictObject({
  StateMachines: z.record(
    z.string(),
    z.strictObject({ TestCases: z.record(z.string(), z.record(z.string(), z.string())) }),
  ),
  MockedResponses: z.record(z.string(), z.record(z.string().regex(/^\d+(-\d+)?$/), response)),
});

function invalid(message: string): EpsilonError {
  return new EpsilonError('MOCKS_INVALID', message);
}

function rangeOf(key: string): { readonly from: number; readonly to: number } {
  const [from = 0, to = from] = key.split('-').map(Number);
  return { from, to };
}

/** Errors of Step Functions that are time-outs: the Task then takes the time it may take. */
const timeOuts: Readonly<Record<string, MockedResponse>> = {
  'States.Timeout': { TimeOut: 'timeout' },
  'States.HeartbeatTimeout': { TimeOut: 'heartbeat' },
};

function thrown(error: string, cause: string): MockedResponse {
  return (Object.hasOwn(timeOuts, error) && timeOuts[error]) || { Throw: { Error: error, Cause: cause } };
}

/** The `mock` of the service's TestState: a result as JSON text, or an error. */
const testStateMock = z.union([
  z.strictObject({
    result: z.string(),
    fieldValidationMode: z.enum(['STRICT', 'PRESENT', 'NONE']).optional(),
  }),
  z.strictObject({
    errorOutput: z.strictObject({ error: z.string().default(''), cause: z.string().default('') }),
    fieldValidationMode: z.enum(['STRICT', 'PRESENT', 'NONE']).optional(),
  }),
]);

/** One such mock for every Task, or by state name one, or a list: one for each call. */
const testStateMocks = z.union([
  testStateMock,
  z.record(z.string(), z.union([testStateMock, z.array(testStateMock).min(1)])),
]);

function responseOf(mock: z.output<typeof testStateMock>, place: string): MockedResponse {
  if ('errorOutput' in mock) return thrown(mock.errorOutput.error, mock.errorOutput.cause);
  try {
    return { Return: JSON.parse(mock.result) as Json };
  } catch (error) {
    throw invalid(`The result of the mock ${place} is no JSON text: ${(error as Error).message}.`);
  }
}

/** The last mock of a list answers every further call too. */
function readTestStateMocks(mocks: z.output<typeof testStateMocks>): Mock {
  const single = checkSchema(testStateMock, mocks);
  if (single.success) {
    const response = responseOf(single.data, 'for every Task');
    return () => response;
  }
  const responses = new Map(
    Object.entries(mocks as Record<string, z.output<typeof testStateMock>>).map(([state, mock]) => [
      state,
      [mock].flat().map((each) => responseOf(each, `for "${state}"`)),
    ]),
  );
  const calls = new Map<string, number>();
  return (stateName) => {
    const list = responses.get(stateName);
    const call = calls.get(stateName) ?? 0;
    calls.set(stateName, call + 1);
    return list?.[Math.min(call, list.length - 1)];
  };
}

/**
 * Reads mocks: those of TestState, or the mock configuration of Step Functions Local (MockConfigFile), of which it takes one
 * test case of one machine. A thrown States.Timeout or States.HeartbeatTimeout is a time-out. The n-th call of a state gets
 * the response whose key holds n (`"0"`, `"1-2"`); a call beyond all keys is refused by name.
 */
export function readMocks(
  value: unknown,
  choice: { readonly machine?: string; readonly testCase?: string } = {},
): Mock {
  const mocks = checkSchema(testStateMocks, value);
  if (mocks.success) return readTestStateMocks(mocks.data);
  const parsed = checkSchema(configuration, value);
  if (!parsed.success) {
    const { path, sentence } = parsed.fault;
    throw invalid(
      `The mocks are neither TestState's nor in the format of Step Functions Local: ${path.join('.') || '(file)'}: ${sentence}.`,
    );
  }
  const { StateMachines: machines, MockedResponses: responses } = parsed.data;
  const machine = choice.machine ?? Object.keys(machines)[0] ?? '';
  const cases = machines[machine]?.TestCases ?? {};
  const testCase = choice.testCase ?? Object.keys(cases)[0] ?? '';
  const states = cases[testCase];
  if (!states)
    throw invalid(
      `The mocks hold no test case "${testCase}" of machine "${machine}" (known: ${Object.keys(cases).join(', ') || 'none'}).`,
    );
  for (const [state, name] of Object.entries(states))
    if (!responses[name])
      throw invalid(`State "${state}" names the response "${name}", which the mocks do not hold.`);
  const calls = new Map<string, number>();
  return (stateName) => {
    const name = Object.hasOwn(states, stateName) ? states[stateName] : undefined;
    if (name === undefined) return undefined;
    const call = calls.get(stateName) ?? 0;
    calls.set(stateName, call + 1);
    const found = Object.entries(responses[name] ?? {}).find(([key]) => {
      const { from, to } = rangeOf(key);
      return call >= from && call <= to;
    });
    if (found) {
      const answer = found[1] as MockedResponse;
      return 'Throw' in answer ? thrown(answer.Throw.Error, answer.Throw.Cause) : answer;
    }
    return {
      Throw: {
        Error: 'States.Runtime',
        Cause: `The mocks hold no response ${call} for state "${stateName}".`,
      },
    };
  };
}
