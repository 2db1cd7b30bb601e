import type { Timer } from '../../../lib/ports/clock.ts';
import type { Block, Machine, State } from '../definition/machine.ts';
import { Payload } from '../model/json.ts';
import type {
  EventRecord,
  ExecutionRecord,
  Outcome,
  Phase,
  TaskRecord,
  ThreadRecord,
} from '../model/records.ts';

/** An execution that is not over. */
export class LiveExecution {
  readonly record: ExecutionRecord;
  readonly machine: Machine;
  readonly input: Payload;
  readonly threads = new Map<number, Thread>();
  /** Events not written yet. */
  events: EventRecord[] = [];
  /** The machine's own TimeoutSeconds. */
  timeout: Timer | undefined;

  constructor(record: ExecutionRecord, machine: Machine) {
    this.record = record;
    this.machine = machine;
    this.input = Payload.parse(record.input);
  }

  block(path: string): Block {
    const block = this.machine.blocks.get(path);
    if (!block) throw new Error(`The definition of ${this.record.arn} has no block "${path}".`);
    return block;
  }

  nextNumber(): number {
    const number = this.record.nextThread;
    this.record.nextThread += 1;
    return number;
  }
}

/** `lastEvent` of a thread that continues its parent's chain of events. */
export const inherited = -1;

/** How an event joins the chain of `previousEventId`: by default it follows its thread's last event and is the last one now. */
export interface Chain {
  /** What it follows instead: an event's id, or the latest event of the execution. */
  readonly after?: number | 'latest';
  /** The thread's next event follows the one before this. */
  readonly aside?: boolean;
}

/** An event that gets its number when its step is over. */
export interface StagedEvent {
  readonly type: string;
  readonly detailName: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly chain: Chain | undefined;
}

/** What a new thread begins with. */
export interface ThreadStart {
  readonly parent?: Thread;
  readonly index: number;
  readonly block: Block;
  readonly input: Payload;
  readonly phase: Phase;
  readonly item?: Payload;
  readonly lastEvent: number;
}

/** One line of control of a live execution. */
export class Thread {
  readonly execution: LiveExecution;
  readonly id: number;
  readonly parent: Thread | undefined;
  readonly index: number;
  readonly block: Block;
  readonly item: Payload | undefined;
  readonly children = new Map<number, Thread>();
  #state: State | undefined;
  status: ThreadRecord['status'] = 'active';
  stateName: string;
  phase: Phase;
  input: Payload;
  variables: Record<string, unknown> = {};
  retries: number[] = [];
  retryCount = 0;
  enteredAt = 0;
  /** Id of the event that says its state was entered; undefined until that is on record. */
  enteredEvent: number | undefined;
  lastEvent: number;
  task: TaskRecord | undefined;
  outcome: Outcome | undefined;
  until: number | undefined;
  items: Payload | undefined;
  width: number | undefined;
  expected = 0;
  finished = 0;
  output: Payload | undefined;
  error: string | undefined;
  cause: string | undefined;
  /** Aborts the call that the thread's Task has under way. */
  abort: AbortController | undefined;
  /** Events of the step under way: they are on record only when the whole step is. */
  staged: StagedEvent[] = [];
  /** Deadlines that are running: the Task's, its heartbeat's, a wait's or retry pause's. */
  readonly timers: { timeout?: Timer; heartbeat?: Timer; pause?: Timer } = {};
  queued = false;
  /** Waiting for an expression that is not plain, or for a read. */
  suspended = false;

  constructor(execution: LiveExecution, start: ThreadStart, id = execution.nextNumber()) {
    this.execution = execution;
    this.id = id;
    this.parent = start.parent;
    this.index = start.index;
    this.block = start.block;
    this.item = start.item;
    this.stateName = start.block.startAt;
    this.phase = start.phase;
    this.input = start.input;
    this.lastEvent = start.lastEvent;
    execution.threads.set(id, this);
    start.parent?.children.set(start.index, this);
  }

  /** Id of the event that the thread's next one follows. */
  get last(): number {
    return this.lastEvent === inherited ? (this.parent?.last ?? 0) : this.lastEvent;
  }

  get state(): State {
    if (this.#state?.name === this.stateName) return this.#state;
    const state = this.block.states.get(this.stateName);
    this.#state = state;
    if (!state) throw new Error(`Block "${this.block.path}" has no state "${this.stateName}".`);
    return state;
  }

  /** Calls off every deadline: nothing is waited for any more. */
  disarm(): void {
    const { timeout, heartbeat, pause } = this.timers;
    timeout?.cancel();
    heartbeat?.cancel();
    pause?.cancel();
  }

  /** The snapshot the journal keeps. */
  toRecord(): ThreadRecord {
    return {
      id: this.id,
      ...(this.parent ? { parent: this.parent.id } : {}),
      index: this.index,
      block: this.block.path,
      status: this.status,
      state: this.stateName,
      phase: this.phase,
      input: this.input.text,
      variables: this.variables,
      retries: this.retries,
      retryCount: this.retryCount,
      enteredAt: this.enteredAt,
      lastEvent: this.lastEvent,
      ...(this.enteredEvent === undefined ? {} : { enteredEvent: this.enteredEvent }),
      ...(this.task ? { task: { ...this.task } } : {}),
      ...(this.outcome ? { outcome: this.outcome } : {}),
      ...(this.until === undefined ? {} : { until: this.until }),
      ...(this.items ? { items: this.items.text } : {}),
      ...(this.width === undefined ? {} : { width: this.width }),
      ...(this.expected ? { expected: this.expected } : {}),
      ...(this.item ? { item: this.item.text } : {}),
      ...(this.output ? { output: this.output.text } : {}),
      ...(this.error === undefined ? {} : { error: this.error }),
      ...(this.cause === undefined ? {} : { cause: this.cause }),
    };
  }
}

function restoreThread(execution: LiveExecution, record: ThreadRecord): Thread {
  const parent = record.parent === undefined ? undefined : execution.threads.get(record.parent);
  const thread = new Thread(
    execution,
    {
      ...(parent ? { parent } : {}),
      index: record.index,
      block: execution.block(record.block),
      input: Payload.parse(record.input),
      phase: record.phase,
      lastEvent: record.lastEvent,
      ...(record.item === undefined ? {} : { item: Payload.parse(record.item) }),
    },
    record.id,
  );
  const {
    status,
    state,
    variables,
    retries,
    retryCount,
    enteredAt,
    enteredEvent,
    task,
    outcome,
    until,
    width,
    expected,
    error,
    cause,
  } = record;
  Object.assign(thread, {
    status,
    stateName: state,
    variables,
    retries,
    retryCount,
    enteredAt,
    enteredEvent,
    task,
    outcome,
    until,
    width,
    error,
    cause,
  });
  thread.expected = expected ?? 0;
  thread.items = record.items === undefined ? undefined : Payload.parse(record.items);
  thread.output = record.output === undefined ? undefined : Payload.parse(record.output);
  if (parent && status === 'done') parent.finished += 1;
  return thread;
}

/** Builds a live execution again from what the journal kept. */
export function restore(
  record: ExecutionRecord,
  threads: readonly ThreadRecord[],
  machine: Machine,
): LiveExecution {
  const execution = new LiveExecution(record, machine);
  // Parents have smaller numbers than their children.
  for (const thread of [...threads].sort((a, b) => a.id - b.id)) restoreThread(execution, thread);
  return execution;
}
