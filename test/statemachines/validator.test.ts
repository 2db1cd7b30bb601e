import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { machines } from '../../lib/machines/catalogue.ts';
import { machineOf } from './machine-test.ts';

type Definition = { StartAt: string; States: Record<string, Record<string, unknown>> };

// The package brings no types.
const validate = createRequire(import.meta.url)('asl-validator') as (definition: unknown) => {
  readonly isValid: boolean;
  readonly errors: readonly unknown[];
};

/** A second opinion that is not ours: what it accepts is what Step Functions' own tools accept. */
describe.each(machines.map(({ key }) => key))('%s before the validator of others', (name) => {
  const machine = () => structuredClone(machineOf(name)) as unknown as Definition;

  it('is valid', () => {
    const { isValid, errors } = validate(machine());
    expect(errors).toEqual([]);
    expect(isValid).toBe(true);
  });

  it.each([
    ['that begins nowhere', (broken: Definition) => Object.assign(broken, { StartAt: 'Nowhere' })],
    [
      'with a state of no kind',
      ({ StartAt, States }: Definition) => Object.assign(States[StartAt] ?? {}, { Type: 'Job' }),
    ],
    [
      'with a state nobody reaches',
      ({ States }: Definition) => Object.assign(States, { Lost: { Type: 'Succeed' } }),
    ],
  ])('is refused as one %s', (_, breakIt) => {
    const broken = machine();
    breakIt(broken);
    expect(validate(broken).isValid).toBe(false);
  });
});
