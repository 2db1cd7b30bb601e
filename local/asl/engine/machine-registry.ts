import { createHash } from 'node:crypto';
import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import { compileMachine } from '../definition/compile.ts';
import type { Machine } from '../definition/machine.ts';
import { type Resolve, resolveIntrinsics } from '../definition/resolve-intrinsics.ts';
import type { Journal } from '../journal/journal.ts';
import type { ExecutionRecord } from '../model/records.ts';

/** A machine under a name, with the text that executions keep. */
export interface RegisteredMachine {
  readonly machine: Machine;
  /** SHA-256 of the definition. */
  readonly hash: string;
  readonly text: string;
}

/** A definition as it is given. */
export interface MachineSource {
  readonly name: string;
  readonly definition: unknown;
  readonly resolve?: Resolve;
}

/** Machines by name, and compiled definitions by hash: an execution keeps the one it began with. */
export class MachineRegistry {
  readonly #journal: Journal;
  readonly #machines = new Map<string, RegisteredMachine>();
  readonly #compiled = new Map<string, Machine>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Throws `ASL_INVALID` or `ASL_UNSUPPORTED` with every fault. */
  register({ name, definition, resolve }: MachineSource): void {
    const resolved = resolve ? resolveIntrinsics(definition, resolve) : definition;
    const text = JSON.stringify(resolved);
    const hash = createHash('sha256').update(text).digest('hex');
    const machine = compileMachine(resolved, name);
    this.#compiled.set(hash, machine);
    this.#machines.set(name, { machine, hash, text });
  }

  names(): string[] {
    return [...this.#machines.keys()];
  }

  /** Throws `MACHINE_NOT_FOUND`. */
  get(name: string): RegisteredMachine {
    const registered = this.#machines.get(name);
    if (registered) return registered;
    throw new NotFound(
      'MACHINE_NOT_FOUND',
      `There is no state machine "${name}" (known: ${this.names().join(', ') || 'none'}).`,
    );
  }

  /** The definition an execution began with. */
  of(record: ExecutionRecord): Machine {
    let machine = this.#compiled.get(record.definition);
    if (!machine) {
      const text = this.#journal.definition(record.definition);
      if (text === undefined) {
        throw new EpsilonError(
          'STATE_DIR_CORRUPT',
          `The definition ${record.definition} of ${record.arn} is missing.`,
          {
            exitCode: exitCodes.backend,
          },
        );
      }
      machine = compileMachine(JSON.parse(text), record.machine);
      this.#compiled.set(record.definition, machine);
    }
    return machine;
  }
}
