import type { ExecutionStatus } from '../../../lib/ports/workflows.ts';
import type { EventRecord, ExecutionRecord, MapRunRecord, ThreadRecord } from '../model/records.ts';

/** Everything that changed since the last write; written together or not at all. */
export interface JournalBatch {
  /** SHA-256 to definition text. */
  readonly definitions: ReadonlyMap<string, string>;
  readonly executions: Iterable<ExecutionRecord>;
  readonly events: Iterable<readonly [execution: number, events: readonly EventRecord[]]>;
  readonly threads: Iterable<readonly [execution: number, thread: ThreadRecord]>;
  readonly removedThreads: Iterable<readonly [execution: number, thread: number]>;
  /** Executions all of whose threads go. */
  readonly endedThreads: Iterable<number>;
  readonly mapRuns: Iterable<MapRunRecord>;
}

/** What lists of executions are narrowed by. */
export interface ExecutionFilter {
  readonly machine?: string;
  readonly status?: ExecutionStatus;
  readonly mapRunArn?: string;
  readonly limit: number;
  /** Only executions older than this key. */
  readonly before?: number;
}

/** An execution with its threads, as recovery and redrive need it. */
export interface StoredExecution {
  readonly execution: ExecutionRecord;
  readonly threads: readonly ThreadRecord[];
}

/** Where the engine remembers. `write` returns when everything is as durable as the journal makes it. */
export interface Journal {
  /** True when nothing outlives the process: the engine then keeps no snapshots of threads. */
  readonly volatile: boolean;
  write(batch: JournalBatch): void;
  /** Executions that are not over, with their threads. */
  open(): StoredExecution[];
  openMapRuns(): MapRunRecord[];
  definition(hash: string): string | undefined;
  execution(arn: string): ExecutionRecord | undefined;
  stored(arn: string): StoredExecution | undefined;
  /** Newest first. */
  list(filter: ExecutionFilter): ExecutionRecord[];
  mapRun(arn: string): MapRunRecord | undefined;
  mapRunsOf(execution: number): MapRunRecord[];
  /** Children of a map run in order of their index, from `fromIndex` on, `limit` at most. */
  childrenOf(mapRunArn: string, fromIndex: number, limit: number): ExecutionRecord[];
  events(execution: number, fromId: number, limit: number): EventRecord[];
  highestKey(): number;
  close(): void;
}
