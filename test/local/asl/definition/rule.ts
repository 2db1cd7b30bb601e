import { expect, it } from 'vitest';
import { faultsOf } from '../../../../local/asl/definition/compile.ts';

type Fields = Readonly<Record<string, unknown>>;

export const end = { Type: 'Pass', End: true };
export const machine = (states: Fields, more: Fields = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: Object.keys(states)[0],
  States: states,
  ...more,
});
export const one = (state: Fields) => machine({ S: { End: true, ...state } });
export const pass = (more: Fields = {}) => one({ Type: 'Pass', ...more });
export const call = {
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: 'f' },
};
export const task = (more: Fields = {}) => one({ ...call, ...more });
export const wait = (more: Fields) => one({ Type: 'Wait', ...more });
export const retry = (more: Fields) => task({ Retry: [{ ErrorEquals: ['E'], ...more }] });
export const caught = (more: Fields) =>
  machine({ S: { ...call, Catch: [{ ErrorEquals: ['E'], Next: 'N', ...more }], Next: 'N' }, N: end });
export const choice = (rule: Fields, more: Fields = {}) =>
  machine({ S: { Type: 'Choice', Choices: [{ Condition: true, Next: 'N', ...rule }], ...more }, N: end });
export const block = (states: Fields, more: Fields = {}) => ({
  StartAt: Object.keys(states)[0],
  States: states,
  ...more,
});
export const map = (more: Fields = {}, states: Fields = { P: end }) =>
  one({ Type: 'Map', ItemProcessor: block(states), ...more });
export const distributed = { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' };
export const fan = (more: Fields = {}) =>
  one({ Type: 'Map', ItemProcessor: block({ P: end }, { ProcessorConfig: distributed }), ...more });
export const reader = (more: Fields, config: Fields = { InputType: 'JSON' }) =>
  fan({ ItemReader: { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig: config, ...more } });
export const writer = (more: Fields) =>
  fan({ ResultWriter: { Resource: 'arn:aws:states:::s3:putObject', ...more } });
export const both = (states: Fields, more: Fields = {}) =>
  one({ Type: 'Parallel', Branches: [block(states)], ...more });
export const name = (length: number) => 'n'.repeat(length);

/** One rule: what breaks it, where the fault is said to be, what it says is right, and what keeps it. */
export type Rule = readonly [rule: string, broken: unknown, path: string, right: RegExp, kept: unknown];

/** Says of each rule that what breaks it is refused where and as it says, and that what keeps it is not. */
export function holdAll(rules: readonly Rule[]): void {
  it.each(rules)('%s', (_rule, broken, path, right, kept) => {
    const faults = faultsOf(broken).filter((fault) => fault.path === path);
    expect(
      faults.some((fault) => right.test(fault.message)),
      JSON.stringify(faultsOf(broken)),
    ).toBe(true);
    expect(faultsOf(kept)).toEqual([]);
  });
}
