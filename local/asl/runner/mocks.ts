import { z } from 'zod';
import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
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

/**
 * Reads the mock configuration of Step Functions Local and takes one test case of one machine. The n-th call of a state gets
 * the response whose key holds n (`"0"`, `"1-2"`); a call beyond all keys is refused by name.
 */
export function readMocks(
  value: unknown,
  choice: { readonly machine?: string; readonly testCase?: string } = {},
): Mock {
  const parsed = configuration.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(
      `The mocks are not in the format of Step Functions Local: ${issue?.path.join('.') || '(file)'}: ${issue?.message}.`,
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
    if (found) return found[1] as MockedResponse;
    return {
      Throw: {
        Error: 'States.Runtime',
        Cause: `The mocks hold no response ${call} for state "${stateName}".`,
      },
    };
  };
}
