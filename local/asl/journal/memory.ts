import type { EventRecord, ExecutionRecord, MapRunRecord, ThreadRecord } from '../model/records.ts';
import type { ExecutionFilter, Journal, JournalBatch, StoredExecution } from './journal.ts';

/** A journal that forgets when the process ends; for tests, `epsilon asl run` and simulations. */
export class MemoryJournal implements Journal {
  readonly volatile = true;
  readonly #definitions = new Map<string, string>();
  readonly #executions = new Map<number, ExecutionRecord>();
  readonly #byArn = new Map<string, ExecutionRecord>();
  readonly #events = new Map<number, EventRecord[]>();
  readonly #threads = new Map<number, Map<number, ThreadRecord>>();
  readonly #mapRuns = new Map<string, MapRunRecord>();

  write(batch: JournalBatch): void {
    for (const [hash, text] of batch.definitions) this.#definitions.set(hash, text);
    for (const execution of batch.executions) {
      this.#executions.set(execution.key, execution);
      this.#byArn.set(execution.arn, execution);
    }
    for (const [key, events] of batch.events) {
      const known = this.#events.get(key);
      if (known) for (const event of events) known.push(event);
      else this.#events.set(key, [...events]);
    }
    for (const [key, thread] of batch.threads) {
      const known = this.#threads.get(key) ?? new Map<number, ThreadRecord>();
      this.#threads.set(key, known.set(thread.id, thread));
    }
    for (const [key, thread] of batch.removedThreads) this.#threads.get(key)?.delete(thread);
    for (const key of batch.endedThreads) this.#threads.delete(key);
    for (const run of batch.mapRuns) this.#mapRuns.set(run.arn, run);
  }

  open(): StoredExecution[] {
    return [];
  }

  openMapRuns(): MapRunRecord[] {
    return [];
  }

  definition(hash: string): string | undefined {
    return this.#definitions.get(hash);
  }

  execution(arn: string): ExecutionRecord | undefined {
    return this.#byArn.get(arn);
  }

  stored(arn: string): StoredExecution | undefined {
    const execution = this.#byArn.get(arn);
    return execution && { execution, threads: [...(this.#threads.get(execution.key)?.values() ?? [])] };
  }

  list({
    machine,
    status,
    mapRunArn,
    limit,
    before = Number.POSITIVE_INFINITY,
  }: ExecutionFilter): ExecutionRecord[] {
    const fits = (execution: ExecutionRecord) =>
      execution.key < before &&
      (machine === undefined || execution.machine === machine) &&
      (status === undefined || execution.status === status) &&
      execution.mapRunArn === mapRunArn;
    return [...this.#executions.values()].filter(fits).reverse().slice(0, limit);
  }

  mapRun(arn: string): MapRunRecord | undefined {
    return this.#mapRuns.get(arn);
  }

  mapRunsOf(execution: number): MapRunRecord[] {
    return [...this.#mapRuns.values()].filter((run) => run.execution === execution);
  }

  childrenOf(mapRunArn: string): ExecutionRecord[] {
    const children = [...this.#executions.values()].filter((execution) => execution.mapRunArn === mapRunArn);
    return children.sort((a, b) => (a.mapIndex ?? 0) - (b.mapIndex ?? 0));
  }

  events(execution: number, fromId: number, limit: number): EventRecord[] {
    return (this.#events.get(execution) ?? []).slice(
      Math.max(0, fromId - 1),
      Math.max(0, fromId - 1) + limit,
    );
  }

  highestKey(): number {
    return Math.max(0, ...this.#executions.keys());
  }

  close(): void {}
}
