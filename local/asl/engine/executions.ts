import { EpsilonError, exitCodes } from '../../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../../lib/errors/store-errors.ts';
import type { Journal } from '../journal/journal.ts';
import { childResultOf } from '../model/describe.ts';
import { statesErrors } from '../model/failure.ts';
import type { Payload } from '../model/json.ts';
import { checkExecutionName, executionArn, machineNameOf, roleArn } from '../model/names.ts';
import type { ExecutionRecord, MapRunRecord } from '../model/records.ts';
import { TurnoverMap } from '../model/turnover-map.ts';
import { LiveExecution, restore, Thread } from '../threads/live-execution.ts';
import type { Interpreter } from './interpreter.ts';
import type { MachineRegistry } from './machine-registry.ts';
import { boundYoungGeneration } from './young-generation.ts';

/** Children of a map run that are read from the journal at once. */
const childrenAtOnce = 500;

const indexOf = (child: ExecutionRecord) => child.mapIndex ?? 0;

/** A Task that waits for an execution's end. */
export interface Waiter {
  readonly thread: Thread;
  readonly serial: number;
}

/** A start inside the engine. */
export interface ExecutionStart {
  readonly machine: string;
  readonly name?: string;
  readonly input: Payload;
  readonly traceId?: string;
}

type NewRecord = Pick<ExecutionRecord, 'machine' | 'name' | 'arn' | 'definition' | 'block' | 'input'> &
  Partial<ExecutionRecord>;

/** Executions that are not over (or whose end is just being written), and how they come to be and end. */
export class Executions {
  readonly #interpreter: Interpreter;
  readonly #journal: Journal;
  readonly #machines: MachineRegistry;
  readonly #byArn = new TurnoverMap<string, LiveExecution>();
  readonly #announce: (record: ExecutionRecord) => void;
  readonly #ends = new Map<string, (() => void)[]>();
  #nextKey: number;

  constructor(parts: {
    readonly interpreter: Interpreter;
    readonly journal: Journal;
    readonly machines: MachineRegistry;
    /** Called when a top-level execution began or ended, before it is in the journal. */
    readonly announce: (record: ExecutionRecord) => void;
  }) {
    boundYoungGeneration();
    this.#interpreter = parts.interpreter;
    this.#journal = parts.journal;
    this.#machines = parts.machines;
    this.#announce = parts.announce;
    this.#nextKey = parts.journal.highestKey() + 1;
  }

  live(arn: string): LiveExecution | undefined {
    return this.#byArn.get(arn);
  }

  /** Throws `EXECUTION_NOT_FOUND`. */
  record(arn: string): ExecutionRecord {
    const record = this.#byArn.get(arn)?.record ?? this.#journal.execution(arn);
    if (record) return record;
    throw new NotFound('EXECUTION_NOT_FOUND', `There is no execution ${arn}.`);
  }

  adopt(live: LiveExecution): void {
    this.#interpreter.live.set(live.record.key, live);
    this.#byArn.set(live.record.arn, live);
  }

  /** Adopts every execution of the journal that is not over. */
  adoptOpen(): void {
    for (const { execution, threads } of this.#journal.open())
      this.adopt(restore(execution, threads, this.#machines.of(execution)));
  }

  /** Ends every execution of the journal that is not over, without taking any of them up: nothing is called. */
  endAll({ error, cause }: { readonly error: string; readonly cause: string }): number {
    this.adoptOpen();
    for (const run of this.#journal.openMapRuns()) {
      run.status = 'ABORTED';
      run.stopDate = this.#interpreter.clock.now();
      this.#interpreter.saveMapRun(run);
    }
    // Parents, which have smaller keys, first: what a child ends with is then awaited by nobody.
    const open = [...this.#interpreter.live.values()].sort((a, b) => a.record.key - b.record.key);
    for (const { record } of open) this.stop(record.arn, error, cause);
    return open.length;
  }

  /** Arms the machine's own TimeoutSeconds, counted from the start or the latest redrive. */
  armTimeout(live: LiveExecution): void {
    const seconds = live.record.mapRunArn === undefined ? live.machine.timeoutSeconds : undefined;
    if (seconds === undefined) return;
    const { record } = live;
    const began = record.redriveDate ?? record.startDate;
    live.timeout = this.#interpreter.at(began + seconds * 1000, () => {
      if (record.status !== 'RUNNING' || (record.redriveDate ?? record.startDate) !== began) return;
      this.#interpreter.endExecution(live, 'TIMED_OUT', {
        error: statesErrors.timeout,
        cause: `The execution took longer than ${seconds} seconds.`,
      });
    });
  }

  /** Begins an execution, or gives the running one of the same name and input. */
  begin(request: ExecutionStart, waiter?: Waiter): LiveExecution {
    const name = checkExecutionName(request.name ?? this.#interpreter.ids.ulid().toLowerCase());
    const machine = machineNameOf(request.machine);
    const { hash, text } = this.#machines.get(machine);
    const arn = executionArn(machine, name);
    const running = this.#byArn.get(arn);
    const there = running?.record ?? this.#journal.execution(arn);
    if (there) return this.#same(there, running, request.input, waiter);
    if (Buffer.byteLength(request.input.text) > this.#interpreter.limits.payloadBytes) {
      throw new EpsilonError(
        'INPUT_TOO_LARGE',
        `The input has more than ${this.#interpreter.limits.payloadBytes} bytes.`,
      );
    }
    const traceId = request.traceId ?? waiter?.thread.execution.record.traceId;
    this.#interpreter.writer.definition(hash, text);
    const record = { machine, name, arn, definition: hash, block: '', input: request.input.text };
    return this.#create({ ...record, ...(traceId === undefined ? {} : { traceId }) }, waiter);
  }

  #same(
    there: ExecutionRecord,
    running: LiveExecution | undefined,
    input: Payload,
    waiter?: Waiter,
  ): LiveExecution {
    if (!running || there.status !== 'RUNNING' || there.input !== input.text) {
      const why = there.status === 'RUNNING' ? 'is running with another input' : `ended ${there.status}`;
      throw new EpsilonError(
        'EXECUTION_ALREADY_EXISTS',
        `Execution "${there.name}" of ${there.machine} ${why}; names are used once.`,
        {
          exitCode: exitCodes.conflict,
        },
      );
    }
    this.#wait(running, waiter);
    return running;
  }

  #wait(live: LiveExecution, waiter: Waiter | undefined): void {
    if (!waiter) return;
    const { thread, serial } = waiter;
    live.record.waiters.push({ execution: thread.execution.record.key, thread: thread.id, serial });
    this.#interpreter.writer.execution(live);
  }

  #create(start: NewRecord, waiter?: Waiter): LiveExecution {
    const record: ExecutionRecord = {
      key: this.#nextKey,
      status: 'RUNNING',
      startDate: this.#interpreter.clock.now(),
      redriveCount: 0,
      eventCount: 0,
      nextThread: 1,
      waiters: [],
      ...start,
    };
    this.#nextKey += 1;
    const live = new LiveExecution(record, this.#machines.of(record));
    this.#wait(live, waiter);
    this.adopt(live);
    const root = new Thread(live, {
      index: 0,
      block: live.block(record.block),
      input: live.input,
      phase: 'enter',
      lastEvent: 0,
    });
    const started = {
      input: record.input,
      inputDetails: { truncated: false },
      roleArn,
      ...(this.#interpreter.retryScale === 1 ? {} : { retryScale: this.#interpreter.retryScale }),
    };
    // As the service: the first state's event follows no event.
    this.#interpreter.emit(root, 'ExecutionStarted', 'executionStartedEventDetails', started, {
      aside: true,
    });
    this.#interpreter.commitStep(root);
    this.#interpreter.enqueue(root);
    this.armTimeout(live);
    if (record.mapRunArn === undefined) this.#announce(record);
    return live;
  }

  /** Begins a child of a distributed Map: same definition, another block. */
  beginChild(run: MapRunRecord, parent: LiveExecution, index: number, input: string): void {
    const name = this.#interpreter.ids.ulid().toLowerCase();
    const { machine, definition, traceId } = parent.record;
    this.#create({
      machine,
      name,
      arn: executionArn(`${machine}/${run.label}`, name),
      definition,
      block: run.block,
      input,
      mapRunArn: run.arn,
      mapIndex: index,
      ...(traceId === undefined ? {} : { traceId }),
    });
  }

  /**
   * Children of a map run in order of their index, those whose record is not written yet included. They are read from the
   * journal as they are asked for, a few hundred at a time.
   */
  *childrenOf(mapRunArn: string): Generator<ExecutionRecord> {
    const live = [...this.#byArn.values()]
      .map(({ record }) => record)
      .filter((record) => record.mapRunArn === mapRunArn)
      .sort((a, b) => indexOf(a) - indexOf(b));
    let next = 0;
    for (let from = 0, more = true; more; ) {
      const page = this.#journal.childrenOf(mapRunArn, from, childrenAtOnce);
      for (const child of page) {
        from = indexOf(child) + 1;
        for (let known = live[next]; known && indexOf(known) < from; known = live[next]) {
          next += 1;
          yield known;
        }
        // A live record is newer than the one in the journal.
        if (live[next - 1]?.arn !== child.arn) yield child;
      }
      more = page.length === childrenAtOnce;
    }
    yield* live.slice(next);
  }

  stop(arn: string, error: string, cause: string): void {
    const live = this.#byArn.get(arn);
    if (live && live.record.status === 'RUNNING')
      this.#interpreter.endExecution(live, 'ABORTED', { error, cause });
  }

  /** Notifies everybody who waits for an execution that it is over. */
  ended(execution: LiveExecution): void {
    const { record } = execution;
    const result =
      record.waiters.length > 0 ? JSON.stringify(childResultOf(record, this.#interpreter.clock.now())) : '';
    const ok = record.status === 'SUCCEEDED';
    for (const waiter of record.waiters) {
      const thread = this.#interpreter.live.get(waiter.execution)?.threads.get(waiter.thread);
      if (thread)
        this.#interpreter.settle(
          thread,
          waiter.serial,
          ok ? { ok, output: result } : { ok, error: statesErrors.taskFailed, cause: result },
        );
    }
    record.waiters = [];
    if (record.mapRunArn === undefined) this.#announce(record);
    else this.#interpreter.mapRuns.childEnded(record);
    this.#interpreter.afterCommit(() => {
      if (this.#byArn.get(record.arn) === execution) this.#byArn.delete(record.arn);
      for (const resolve of this.#ends.get(record.arn) ?? []) resolve();
      this.#ends.delete(record.arn);
    });
  }

  /** Resolves when the execution is over and in the journal. */
  async settled(arn: string): Promise<void> {
    if (this.record(arn).status !== 'RUNNING' && !this.#byArn.has(arn)) return;
    await new Promise<void>((resolve) => this.#ends.set(arn, [...(this.#ends.get(arn) ?? []), resolve]));
  }
}
