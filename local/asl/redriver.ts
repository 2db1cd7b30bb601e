import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { redriveRefusal } from './describe.ts';
import type { EngineCore } from './engine-core.ts';
import type { Executions } from './executions.ts';
import type { Journal } from './journal/journal.ts';
import { type LiveExecution, restore } from './live.ts';
import type { MachineRegistry } from './machine-registry.ts';
import type { ExecutionRecord } from './records.ts';
import { resetForRedrive, resumeThreads } from './recovery.ts';

/** Runs failed executions again from where they failed. */
export class Redriver {
  readonly #core: EngineCore;
  readonly #journal: Journal;
  readonly #machines: MachineRegistry;
  readonly #executions: Executions;
  readonly #announce: (record: ExecutionRecord) => void;

  constructor(parts: {
    readonly core: EngineCore;
    readonly journal: Journal;
    readonly machines: MachineRegistry;
    readonly executions: Executions;
    readonly announce: (record: ExecutionRecord) => void;
  }) {
    this.#core = parts.core;
    this.#journal = parts.journal;
    this.#machines = parts.machines;
    this.#executions = parts.executions;
    this.#announce = parts.announce;
  }

  /** Throws `REDRIVE_NOT_ALLOWED` with why. */
  check(record: ExecutionRecord): void {
    const child = 'it belongs to a map run; redrive the execution that runs the Map';
    const refusal = record.mapRunArn === undefined ? redriveRefusal(record, this.#core.clock.now()) : child;
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
    record.redriveDate = this.#core.clock.now();
    const live = restore(record, threads, this.#machines.of(record));
    this.#executions.adopt(live);
    resetForRedrive(live);
    const root = [...live.threads.values()].find((thread) => !thread.parent);
    if (root) {
      this.#core.emit(root, 'ExecutionRedriven', 'executionRedrivenEventDetails', {
        redriveCount: record.redriveCount,
      });
      this.#core.commitStep(root);
    }
    for (const thread of live.threads.values()) this.#core.touch(thread);
    this.#redriveMapRuns(live);
    this.#executions.armTimeout(live);
    resumeThreads(this.#core, live);
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
      const now = this.#core.clock.now();
      const again = this.#executions
        .childrenOf(run.arn)
        .filter((child) => redriveRefusal(child, now) === undefined);
      this.#core.emit(thread, 'MapRunRedriven', 'mapRunRedrivenEventDetails', {
        mapRunArn: run.arn,
        redriveCount: run.redriveCount,
      });
      this.#core.commitStep(thread);
      for (const child of again) this.redrive(child.arn);
      this.#core.mapRuns.restore(run, thread, new Set(again.map((child) => child.arn)));
    }
  }
}
