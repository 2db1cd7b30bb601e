import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import type { Journal } from '../journal/journal.ts';
import { redriveRefusal } from '../model/describe.ts';
import type { ExecutionRecord } from '../model/records.ts';
import { type LiveExecution, restore } from '../threads/live-execution.ts';
import type { Executions } from './executions.ts';
import type { Interpreter } from './interpreter.ts';
import type { MachineRegistry } from './machine-registry.ts';
import { resetForRedrive, resumeThreads } from './recovery.ts';

/** Runs failed executions again from where they failed. */
export class Redriver {
  readonly #interpreter: Interpreter;
  readonly #journal: Journal;
  readonly #machines: MachineRegistry;
  readonly #executions: Executions;
  readonly #announce: (record: ExecutionRecord) => void;

  constructor(parts: {
    readonly interpreter: Interpreter;
    readonly journal: Journal;
    readonly machines: MachineRegistry;
    readonly executions: Executions;
    readonly announce: (record: ExecutionRecord) => void;
  }) {
    this.#interpreter = parts.interpreter;
    this.#journal = parts.journal;
    this.#machines = parts.machines;
    this.#executions = parts.executions;
    this.#announce = parts.announce;
  }

  /** Throws `REDRIVE_NOT_ALLOWED` with why. */
  check(record: ExecutionRecord): void {
    const child = 'it belongs to a map run; redrive the execution that runs the Map';
    const refusal =
      record.mapRunArn === undefined ? redriveRefusal(record, this.#interpreter.clock.now()) : child;
    if (!refusal) return;
    throw new EpsilonError(
      'REDRIVE_NOT_ALLOWED',
      `Execution "${record.name}" cannot be redriven: ${refusal}.`,
      {
        exitCode: exitCodes.conflict,
      },
    );
  }

  /** Same execution, same definition, counters anew; what had succeeded stays. */
  redrive(arn: string): void {
    const stored = this.#journal.stored(arn);
    if (!stored) return;
    const { execution: record, threads } = stored;
    for (const key of ['stopDate', 'output', 'error', 'cause'] as const) delete record[key];
    record.status = 'RUNNING';
    record.redriveCount += 1;
    record.redriveDate = this.#interpreter.clock.now();
    const live = restore(record, threads, this.#machines.of(record));
    this.#executions.adopt(live);
    resetForRedrive(live);
    const root = [...live.threads.values()].find((thread) => !thread.parent);
    if (root) {
      this.#interpreter.emit(root, 'ExecutionRedriven', 'executionRedrivenEventDetails', {
        redriveCount: record.redriveCount,
      });
      this.#interpreter.commitStep(root);
    }
    for (const thread of live.threads.values()) this.#interpreter.touch(thread);
    this.#redriveMapRuns(live);
    this.#executions.armTimeout(live);
    resumeThreads(this.#interpreter, live);
    if (record.mapRunArn === undefined) this.#announce(record);
  }

  /** Map runs that failed go on: failed children are redriven, missing ones started, finished ones kept. */
  #redriveMapRuns(live: LiveExecution): void {
    for (const thread of live.threads.values()) {
      const arn = thread.status === 'active' ? thread.task?.mapRunArn : undefined;
      const run = arn === undefined ? undefined : this.#journal.mapRun(arn);
      if (!run) continue;
      run.status = 'RUNNING';
      run.redriveCount += 1;
      delete run.stopDate;
      const now = this.#interpreter.clock.now();
      const again = [...this.#executions.childrenOf(run.arn)].filter(
        (child) => redriveRefusal(child, now) === undefined,
      );
      this.#interpreter.emit(thread, 'MapRunRedriven', 'mapRunRedrivenEventDetails', {
        mapRunArn: run.arn,
        redriveCount: run.redriveCount,
      });
      this.#interpreter.commitStep(thread);
      for (const child of again) this.redrive(child.arn);
      this.#interpreter.mapRuns.restore(run, thread, new Set(again.map((child) => child.arn)));
    }
  }
}
