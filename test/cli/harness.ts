import { resolve } from 'node:path';
import { type ProgramDependencies, runProgram } from '../../cli/program/program.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';

/** What one call of the command printed and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The JSON document on stdout. */
  json(): Record<string, never>;
}

/** Calls the command in this process, in surroundings that a test may change. */
export async function call(over: Partial<ProgramDependencies>, args: readonly string[]): Promise<Ran> {
  let out = '';
  let err = '';
  const dependencies: ProgramDependencies = {
    clock: new VirtualClock(0),
    ids: sequentialIds('T'),
    projectDir: resolve('.'),
    variables: { EPSILON_STATE_DIR: '/nowhere' },
    signal: new AbortController().signal,
    name: 'epsilon',
    terminal: { moves: false },
    write: (text) => {
      out += text;
    },
    warn: (text) => {
      err += text;
    },
    open: async () => {
      throw new Error('this verb should not open anything');
    },
    ...over,
  };
  const code = await runProgram(dependencies, args);
  return { code, out, err, json: () => JSON.parse(out) as Record<string, never> };
}

/** Calls the command over a control plane of the test's. */
export function epsilon(control: OperatorApi | undefined, ...args: string[]): Promise<Ran> {
  if (!control) return call({}, args);
  return call({ clock: control.clock, open: async () => ({ ...control, close: async () => {} }) }, args);
}
