import { EpsilonError } from '../../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../../lib/ports/clock.ts';
import type { Journal, JournalBatch } from '../journal/journal.ts';
import type { MapRunRecord } from '../model/records.ts';
import type { LiveExecution, Thread } from '../threads/live-execution.ts';

/** Milliseconds between tries to write while the disk is full or the journal locked. */
const stalledPause = 1_000;

/** Codes of conditions outside this process, which end by themselves. */
const passing: ReadonlySet<string> = new Set(['DISK_FULL', 'DATABASE_LOCKED']);

/** What a writer is made of. */
export interface GroupWriterOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly onFault: (error: Error) => void;
  readonly onStall?: ((error: Error | undefined) => void) | undefined;
}

/**
 * Collects what changed and writes it in groups: one transaction for everything that happened in a turn of the event
 * loop. Effects and acknowledgements run only after their group is on disk. When the disk is full, or another process holds the
 * journal locked, the group is kept and tried again; nothing is acknowledged meanwhile.
 */
export class GroupWriter {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #onFault: (error: Error) => void;
  readonly #onStall: (error: Error | undefined) => void;
  readonly #definitions = new Map<string, string>();
  // Made anew for each group, not cleared: V8 links what a set held before clear() to what it holds after, and once one of
  // these is in the old generation all that follow survive until that is collected.
  #executions = new Set<LiveExecution>();
  #threads = new Set<Thread>();
  readonly #removed: [number, number][] = [];
  readonly #ended: number[] = [];
  readonly #mapRuns = new Set<MapRunRecord>();
  #effects: (() => void)[] = [];
  #stalled: EpsilonError | undefined;
  #waiting = false;

  /** `onStall` hears when writing has to wait, and with undefined when it goes on. */
  constructor({ journal, clock, onFault, onStall }: GroupWriterOptions) {
    this.#journal = journal;
    this.#clock = clock;
    this.#onFault = onFault;
    this.#onStall = onStall ?? (() => {});
  }

  /** Set while nothing can be written: new work is refused with it. */
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

  /** Writes the group and runs its effects; false when that has to wait and the group was kept. */
  flush(): boolean {
    if (!this.pending) return true;
    try {
      this.#journal.write(this.#batch());
    } catch (error) {
      if (!(error instanceof EpsilonError) || !passing.has(error.code)) throw error;
      this.#stall(error);
      return false;
    }
    if (this.#stalled) this.#onStall(undefined);
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
    this.#executions = new Set();
    this.#threads = new Set();
    this.#mapRuns.clear();
    this.#removed.length = 0;
    this.#ended.length = 0;
  }

  #stall(error: EpsilonError): void {
    if (!this.#stalled) this.#onStall(error);
    this.#stalled = error;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.setTimer(stalledPause, () => {
      this.#waiting = false;
      this.#attempt(() => this.flush());
    });
  }
}
