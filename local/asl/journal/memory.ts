import type { EventRecord, ExecutionRecord, MapRunRecord, ThreadRecord } from '../model/records.ts';
import { TurnoverMap } from '../model/turnover-map.ts';
import type { ExecutionFilter, Journal, JournalBatch, StoredExecution } from './journal.ts';
import { PackedExecutions } from './packed-executions.ts';

/** Whether an execution may be kept in its packed form: a child of a distributed Map that is over. */
function isPackable({ mapRunArn, status }: ExecutionRecord): boolean {
  return mapRunArn !== undefined && status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
}

/**
 * A journal that forgets when the process ends; for tests, `epsilon asl run` and simulations. Children of distributed Maps
 * are packed when they are over: there may be a hundred thousand.
 */
export class MemoryJournal implements Journal {
  readonly volatile = true;
  readonly #definitions = new Map<string, string>();
  readonly #executions = new TurnoverMap<number, ExecutionRecord>();
  readonly #packed = new PackedExecutions();
  readonly #keys = new Map<string, number>();
  /** Keys of a map run's children, oldest first. */
  /** Keys of a map run's children, by their index. */
  readonly #children = new Map<string, (number | undefined)[]>();
  readonly #events = new TurnoverMap<number, EventRecord[]>();
  readonly #threads = new Map<number, Map<number, ThreadRecord>>();
  readonly #mapRuns = new Map<string, MapRunRecord>();
  #highestKey = 0;

  write(batch: JournalBatch): void {
    for (const [hash, text] of batch.definitions) this.#definitions.set(hash, text);
    const written: ExecutionRecord[] = [];
    for (const execution of batch.executions) {
      this.#keep(execution);
      written.push(execution);
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
    for (const execution of written) if (isPackable(execution)) this.#pack(execution);
  }

  #keep(execution: ExecutionRecord): void {
    const { key, arn, mapRunArn } = execution;
    if (!this.#keys.has(arn)) {
      this.#keys.set(arn, key);
      this.#highestKey = Math.max(this.#highestKey, key);
      if (mapRunArn !== undefined) {
        const children = this.#children.get(mapRunArn) ?? [];
        children[execution.mapIndex ?? children.length] = key;
        this.#children.set(mapRunArn, children);
      }
    }
    const packed = this.#packed.take(key);
    if (packed) this.#events.set(key, [...packed.events]);
    this.#executions.set(key, execution);
  }

  #pack(record: ExecutionRecord): void {
    const { key } = record;
    this.#packed.add({ record, events: this.#events.get(key) ?? [] });
    this.#executions.delete(key);
    this.#events.delete(key);
  }

  #byKey(key: number): ExecutionRecord | undefined {
    return this.#executions.get(key) ?? this.#packed.get(key)?.record;
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
    const key = this.#keys.get(arn);
    return key === undefined ? undefined : this.#byKey(key);
  }

  stored(arn: string): StoredExecution | undefined {
    const execution = this.execution(arn);
    return execution && { execution, threads: [...(this.#threads.get(execution.key)?.values() ?? [])] };
  }

  list({
    machine,
    status,
    mapRunArn,
    limit,
    before = Number.POSITIVE_INFINITY,
  }: ExecutionFilter): ExecutionRecord[] {
    // Only children of map runs are packed, and they are listed by their run alone.
    const keys = mapRunArn === undefined ? [...this.#executions.keys()] : this.#children.get(mapRunArn);
    const found: ExecutionRecord[] = [];
    for (const key of (keys ?? []).filter((each) => each !== undefined).sort((a, b) => b - a)) {
      if (found.length >= limit) break;
      if (key >= before) continue;
      const execution = this.#byKey(key);
      if (!execution || execution.mapRunArn !== mapRunArn) continue;
      if (machine !== undefined && execution.machine !== machine) continue;
      if (status === undefined || execution.status === status) found.push(execution);
    }
    return found;
  }

  mapRun(arn: string): MapRunRecord | undefined {
    return this.#mapRuns.get(arn);
  }

  mapRunsOf(execution: number): MapRunRecord[] {
    return [...this.#mapRuns.values()].filter((run) => run.execution === execution);
  }

  childrenOf(mapRunArn: string, fromIndex: number, limit: number): ExecutionRecord[] {
    const keys = this.#children.get(mapRunArn) ?? [];
    const found: ExecutionRecord[] = [];
    for (let index = fromIndex; index < keys.length && found.length < limit; index += 1) {
      const key = keys[index];
      const child = key === undefined ? undefined : this.#byKey(key);
      if (child) found.push(child);
    }
    return found;
  }

  events(execution: number, fromId: number, limit: number): EventRecord[] {
    const events = this.#events.get(execution) ?? this.#packed.get(execution)?.events ?? [];
    return events.slice(Math.max(0, fromId - 1), Math.max(0, fromId - 1) + limit);
  }

  highestKey(): number {
    return this.#highestKey;
  }

  close(): void {}
}
