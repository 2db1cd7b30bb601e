import { checkSchema } from '../errors/check-schema.ts';
import { EpsilonError } from '../errors/epsilon-error.ts';
import type { Machine } from './machine.ts';

/**
 * Refuses before anything is started what the machine's first state would refuse when it has begun: `INPUT_INVALID`, and what
 * the machine's own check throws (`DATE_OUT_OF_RANGE`). `now` is in milliseconds since the Unix epoch.
 */
export function checkMachineInput({ key, input: schema, check }: Machine, input: unknown, now: number): void {
  const parsed = checkSchema(schema.strict(), input);
  if (parsed.success) {
    check(input as Readonly<Record<string, unknown>>, now);
    return;
  }
  const { path, sentence } = parsed.fault;
  throw new EpsilonError(
    'INPUT_INVALID',
    `Input of ${key}${path.length > 0 ? `, ${path.join('.')}` : ''}: ${sentence}.`,
  );
}
