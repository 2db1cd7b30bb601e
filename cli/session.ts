import type { Command } from 'commander';
import { EpsilonError, exitCodes } from '../lib/errors/epsilon-error.ts';
import { NotFound } from '../lib/errors/store-errors.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { IdSource } from '../lib/ports/id-source.ts';
import type { OperatorApi } from '../lib/ports/operator-api.ts';
import type { ExecutionDetail } from '../lib/ports/workflows.ts';
import type { Waiting } from '../local/host/outside.ts';
import type { Output } from './output.ts';
import { commandFor, type Target } from './target.ts';

/** How a control plane is opened for a verb. */
export interface OpenOptions {
  readonly mode: 'read' | 'write';
  readonly retryScale?: number;
  readonly schedules?: boolean;
  /** Opens what stands idle in the other region of an environment on AWS, which asks nothing of its home region. */
  readonly standby?: boolean;
  /** Is called with errors after which this host's control plane continues. */
  readonly onFault?: (error: Error) => void;
  /** Hears when this host's control plane has to wait for something outside it, and when that is over. */
  readonly onWaiting?: (waiting: Waiting) => void;
}

/** What every verb is given. */
export interface Session {
  readonly output: Output;
  /** How this command was called. */
  readonly name: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly projectDir: string;
  readonly target: Target;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  open(options: OpenOptions): Promise<OperatorApi>;
  /** The command with all its verbs, for what describes it. */
  wholeTree(): Promise<Command>;
}

/** Milliseconds between two polls of what is watched; longer on AWS, where calls are limited. */
export function lookInterval({ target }: Session): number {
  return target.kind === 'aws' ? 2_000 : 200;
}

/** A command for people to type next. */
export function command({ name, target }: Session, words: string): string {
  return commandFor(name, target, words);
}

/** Reports to people what a control plane in this process meets: faults, and what it waits for. */
export function reportsOf({ output, signal }: Session): {
  readonly onFault: (error: Error) => void;
  readonly onWaiting: (waiting: Waiting) => void;
  readonly signal: AbortSignal;
} {
  return {
    onFault: (error) => output.warn(`fault: ${error.message}\n`),
    onWaiting: ({ code, phase, text }) =>
      output.warn(phase === 'begun' ? `waiting (${code}): ${text}\n` : `going on: ${text}\n`),
    signal,
  };
}

/** Opens, works, closes; whatever happens in between. */
export async function withControl<T>(
  session: Session,
  options: OpenOptions,
  work: (control: OperatorApi) => Promise<T>,
): Promise<T> {
  const { onFault, onWaiting } = reportsOf(session);
  const control = await session.open({ ...options, onFault, onWaiting });
  try {
    return await work(control);
  } finally {
    await control.close();
  }
}

/** Throws `INTERRUPTED` (exit 130) when Ctrl-C was pressed. */
export function checkSignal({ signal }: Session, howToGoOn: string): void {
  if (signal.aborted)
    throw new EpsilonError('INTERRUPTED', `Stopped. Nothing is lost: ${howToGoOn}`, {
      exitCode: exitCodes.interrupted,
    });
}

/** Waits, but no longer than until Ctrl-C. */
export async function pause({ clock, signal }: Session, milliseconds: number): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(milliseconds, resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  timer.cancel();
}

/** Describes `machine/name`; undefined when there is none. */
async function lookUp(
  control: OperatorApi,
  machine: string,
  name: string,
): Promise<ExecutionDetail | undefined> {
  try {
    return await control.workflows.describe(`${machine}/${name}`);
  } catch (error) {
    if (error instanceof EpsilonError && error.code === 'EXECUTION_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Finds an execution by ARN, by `machine/name`, or by a name that only one has. */
export async function findExecution(
  session: Session,
  control: OperatorApi,
  given: string,
): Promise<ExecutionDetail> {
  if (given.startsWith('arn:')) return control.workflows.describe(given);
  const slash = given.indexOf('/');
  const name = given.slice(slash + 1);
  const machines = slash < 0 ? await control.workflows.machines() : [given.slice(0, slash)];
  const looks = await Promise.all(machines.map((machine) => lookUp(control, machine, name)));
  const found = looks.filter((execution) => execution !== undefined);
  if (found.length > 1) {
    const choices = found.map((execution) => `${execution.machine}/${execution.name}`).join(', ');
    throw new EpsilonError('EXECUTION_AMBIGUOUS', `Several executions are called "${given}": ${choices}.`);
  }
  if (found[0]) return found[0];
  throw new NotFound(
    'EXECUTION_NOT_FOUND',
    `There is no execution "${given}"; "${command(session, 'executions')}" lists them.`,
  );
}
