import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { Journal, JournalBatch } from '../journal/journal.ts';
import type { MapRunRecord } from '../model/records.ts';
import type { LiveExecution, Thread } from '../threads/live-execution.ts';

/** Milliseconds between tries to write while the disk is full. */
const stalledPause = 1_000;

/**
 * Collects what changed and writes it in groups: one transaction for everything that happened in a turn of the event
 * loop. Effects and acknowledgements run only after their group is on disk. When the disk is full the group is kept
 * and tried again; nothing is acknowledged meanwhile.
 */
export class GroupWriter {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #onFault: (error: Error) => void;
  readonly #definitions = new Map<string, string>();
  readonly #executions = new Set<LiveExecution>();
  readonly #threads = new Set<Thread>();
  readonly #removed: [number, number][] = [];
  readonly #ended: number[] = [];
  readonly #mapRuns = new Set<MapRunRecord>();
  #effects: (() => void)[] = [];
  #stalled: EpsilonError | undefined;
  #waiting = false;

  constructor(journal: Journal, clock: Clock, onFault: (error: Error) => void) {
    this.#journal = journal;
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** Set while the disk is full: new work is refused with it. */
  get stalled(): EpsilonError | undefined {
    return this.#stalled;
  }

  definition(hash: string, text: string): void {
    this.#definitions.set(hash, text);
  }

  execution(execution: LiveExecution): void {
    this.#executions.add(execution);
  }

  thread(thread: Thread): void {
    this.#executions.add(thread.execution);
    if (!this.#journal.volatile) this.#threads.add(thread);
  }

  /** Keeps every thread of an execution that ended without success: a redrive continues from them. */
  keepThreads(execution: LiveExecution): void {
    for (const thread of execution.threads.values()) this.#threads.add(thread);
  }

  removeThread(thread: Thread): void {
    this.#threads.delete(thread);
    this.#removed.push([thread.execution.record.key, thread.id]);
  }

  endThreads(execution: LiveExecution): void {
    for (const thread of execution.threads.values()) this.#threads.delete(thread);
    this.#ended.push(execution.record.key);
  }

  mapRun(run: MapRunRecord): void {
    this.#mapRuns.add(run);
  }

  afterCommit(effect: () => void): void {
    this.#effects.push(effect);
  }

  get pending(): boolean {
    return (
      this.#effects.length > 0 ||
      this.#executions.size > 0 ||
      this.#mapRuns.size > 0 ||
      this.#definitions.size > 0
    );
  }

  /** Writes the group and runs its effects; false when the disk is full and the group was kept. */
  flush(): boolean {
    if (!this.pending) return true;
    try {
      this.#journal.write(this.#batch());
    } catch (error) {
      if (!(error instanceof EpsilonError) || error.code !== 'DISK_FULL') throw error;
      this.#stall(error);
      return false;
    }
    this.#stalled = undefined;
    this.#clear();
    const effects = this.#effects;
    this.#effects = [];
    for (const effect of effects) this.#attempt(effect);
    return true;
  }

  /** What throws is reported; it must not keep other calls and acknowledgements of its group from happening. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onFault(error as Error);
    }
  }

  #batch(): JournalBatch {
    const executions = [...this.#executions];
    return {
      definitions: this.#definitions,
      executions: executions.map((execution) => execution.record),
      events: executions
        .filter(({ events }) => events.length > 0)
        .map(({ record, events }) => [record.key, events] as const),
      threads: [...this.#threads].map((thread) => [thread.execution.record.key, thread.toRecord()] as const),
      removedThreads: this.#removed,
      endedThreads: this.#ended,
      mapRuns: this.#mapRuns,
    };
  }

  #clear(): void {
    for (const execution of this.#executions) execution.events = [];
    this.#definitions.clear();
    this.#executions.clear();
    this.#threads.clear();
    this.#mapRuns.clear();
    this.#removed.length = 0;
    this.#ended.length = 0;
  }

  #stall(error: EpsilonError): void {
    if (!this.#stalled) this.#onFault(error);
    this.#stalled = error;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.setTimer(stalledPause, () => {
      this.#waiting = false;
      this.#attempt(() => this.flush());
    });
  }
}
