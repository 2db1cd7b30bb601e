import { createHash } from 'node:crypto';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type {
  ExecutionDetail,
  ExecutionStatus,
  ExecutionSummary,
  HistoryEvent,
} from '../../lib/ports/workflows.ts';
import { compileMachine } from './compile.ts';
import type { Limits } from './core.ts';
import { serviceLimits } from './core.ts';
import {
  childResultOf,
  detailOf,
  historyEventOf,
  redriveRefusal,
  statusChangeOf,
  summaryOf,
} from './describe.ts';
import { type CoreOptions, EngineCore } from './engine-core.ts';
import { statesErrors } from './failure.ts';
import { Payload } from './json.ts';
import { LiveExecution, restore, Thread } from './live.ts';
import type { Machine } from './machine.ts';
import type { MapRunCounts } from './map-runs.ts';
import { checkExecutionName, executionArn, machineNameOf } from './names.ts';
import type { EventRecord, ExecutionRecord, MapRunRecord } from './records.ts';
import { ownerOf, resetForRedrive, resumeThreads } from './recovery.ts';
import { type Resolve, resolveIntrinsics } from './resolve.ts';
import { tokenParts } from './states/task.ts';

/** How an engine is opened; limits and retryScale default to the service's. */
export type EngineOptions = Omit<CoreOptions, 'limits' | 'retryScale'> & {
  readonly limits?: Partial<Limits>;
  /** Factor on the pauses of Retry, for demos and tests; 1 is the machine's own. */
  readonly retryScale?: number;
};

interface Registered {
  readonly machine: Machine;
  readonly hash: string;
  readonly text: string;
}

/** A start as the engine takes it. `input` is any JSON value. */
export interface StartRequest {
  readonly machine: string;
  readonly name?: string;
  readonly input: unknown;
  readonly traceId?: string;
}

/** One run of a distributed Map, with the counts of its children. */
export interface MapRunDetail
  extends Omit<MapRunRecord, 'inputs' | 'execution' | 'thread' | 'serial' | 'block'> {
  readonly itemCounts: MapRunCounts & { readonly total: number };
}

type Waiter = { readonly thread: Thread; readonly serial: number };

/** Error of a callback whose token is no longer waited for, by the service's name. */
class TaskTimedOut extends Error {
  override readonly name = 'TaskTimedOut';
}

/** Error of a callback with something that is no token. */
class InvalidToken extends Error {
  override readonly name = 'InvalidToken';
}

/**
 * A Step Functions engine in this process: JSONata machines, durable as its journal is.
 * What a promise of it has confirmed is in the journal.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #core: EngineCore;
  readonly #machines = new Map<string, Registered>();
  readonly #compiled = new Map<string, Machine>();
  readonly #byArn = new Map<string, LiveExecution>();
  readonly #statusListeners = new Set<(detail: Record<string, unknown>) => void>();
  readonly #eventListeners = new Set<(execution: ExecutionRecord, event: EventRecord) => void>();
  readonly #ends = new Map<string, (() => void)[]>();
  #nextKey: number;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#nextKey = options.journal.highestKey() + 1;
    this.#core = new EngineCore(
      { ...options, limits: { ...serviceLimits, ...options.limits }, retryScale: options.retryScale ?? 1 },
      {
        ended: (execution) => this.#ended(execution),
        event: (execution, event) => {
          for (const listener of this.#eventListeners) listener(execution.record, event);
        },
      },
    );
    this.#core.calls.children = {
      start: (request) => {
        const live = this.#begin({ ...request, input: Payload.parse(request.input) }, request.waiter);
        return { arn: live.record.arn, startDate: live.record.startDate };
      },
      stop: (arn, cause) => this.#stop(arn, 'States.Aborted', cause),
    };
    this.#core.mapRuns.starter = {
      startChild: (run, parent, index, input) => this.#beginChild(run, parent, index, input),
      redriveChild: (arn) => this.#redrive(arn),
      stop: (arn, cause) => this.#stop(arn, 'States.Aborted', cause),
      childrenOf: (arn) => this.#childrenOf(arn),
    };
  }

  // --- machines -------------------------------------------------------------------------------------------------

  /** Makes a machine known under a name; throws `ASL_INVALID` or `ASL_UNSUPPORTED`. Running executions keep theirs. */
  registerMachine({
    name,
    definition,
    resolve,
  }: {
    readonly name: string;
    readonly definition: unknown;
    readonly resolve?: Resolve;
  }): void {
    const resolved = resolve ? resolveIntrinsics(definition, resolve) : definition;
    const text = JSON.stringify(resolved);
    const hash = createHash('sha256').update(text).digest('hex');
    const machine = compileMachine(resolved, name);
    this.#compiled.set(hash, machine);
    this.#machines.set(name, { machine, hash, text });
  }

  machines(): string[] {
    return [...this.#machines.keys()];
  }

  #machineOf(record: ExecutionRecord): Machine {
    let machine = this.#compiled.get(record.definition);
    if (!machine) {
      const text = this.#options.journal.definition(record.definition);
      if (text === undefined) {
        throw new EpsilonError(
          'STATE_DIR_CORRUPT',
          `The definition ${record.definition} of ${record.arn} is missing.`,
          { exitCode: exitCodes.backend },
        );
      }
      machine = compileMachine(JSON.parse(text), record.machine);
      this.#compiled.set(record.definition, machine);
    }
    return machine;
  }

  // --- recovery -------------------------------------------------------------------------------------------------

  /** Takes up everything that was under way when the last process ended. Call once, after the machines are registered. */
  recover(): number {
    const { journal } = this.#options;
    for (const { execution, threads } of journal.open()) {
      const live = restore(execution, threads, this.#machineOf(execution));
      this.#adopt(live);
    }
    for (const run of journal.openMapRuns()) {
      const owner = ownerOf(this.#core, run);
      if (owner) this.#core.mapRuns.restore(run, owner);
    }
    for (const live of [...this.#core.live.values()]) {
      this.#armTimeout(live);
      resumeThreads(this.#core, live);
    }
    this.#core.schedule();
    return this.#core.live.size;
  }

  #adopt(live: LiveExecution): void {
    this.#core.live.set(live.record.key, live);
    this.#byArn.set(live.record.arn, live);
  }

  #armTimeout(live: LiveExecution): void {
    const seconds = live.record.mapRunArn === undefined ? live.machine.timeoutSeconds : undefined;
    if (seconds === undefined) return;
    const { record } = live;
    const began = record.redriveDate ?? record.startDate;
    this.#core.at(began + seconds * 1000, () => {
      if (record.status !== 'RUNNING' || (record.redriveDate ?? record.startDate) !== began) return;
      this.#core.endExecution(live, 'TIMED_OUT', {
        error: statesErrors.timeout,
        cause: `The execution took longer than ${seconds} seconds.`,
      });
    });
  }

  // --- executions -----------------------------------------------------------------------------------------------

  /** Starts an execution. The same name and input while it runs is the same execution; otherwise `EXECUTION_ALREADY_EXISTS`. */
  async startExecution({
    machine,
    name,
    input,
    traceId,
  }: StartRequest): Promise<{ readonly executionArn: string; readonly startDate: string }> {
    this.#refuseWhenStalled();
    const live = this.#begin({
      machine,
      ...(name === undefined ? {} : { name }),
      input: new Payload(JSON.parse(JSON.stringify(input ?? {}))),
      ...(traceId === undefined ? {} : { traceId }),
    });
    await this.#committed();
    return { executionArn: live.record.arn, startDate: new Date(live.record.startDate).toISOString() };
  }

  #refuseWhenStalled(): void {
    const stalled = this.#core.writer.stalled;
    if (stalled) throw stalled;
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => this.#core.afterCommit(resolve));
  }

  #begin(
    request: { machine: string; name?: string; input: Payload; traceId?: string },
    waiter?: Waiter,
  ): LiveExecution {
    const name = checkExecutionName(request.name ?? this.#core.ids.ulid().toLowerCase());
    const machineName = machineNameOf(request.machine);
    const registered = this.#machines.get(machineName);
    if (!registered) {
      const known = this.machines().join(', ') || 'none';
      throw new NotFound(
        'MACHINE_NOT_FOUND',
        `There is no state machine "${machineName}" (known: ${known}).`,
      );
    }
    const arn = executionArn(machineName, name);
    const running = this.#byArn.get(arn);
    const there = running?.record ?? this.#options.journal.execution(arn);
    if (there) return this.#sameExecution(there, running, request.input, waiter);
    if (Buffer.byteLength(request.input.text) > this.#core.limits.payloadBytes) {
      throw new EpsilonError(
        'INPUT_TOO_LARGE',
        `The input has more than ${this.#core.limits.payloadBytes} bytes.`,
      );
    }
    const trace = request.traceId ?? waiter?.thread.execution.record.traceId;
    this.#core.writer.definition(registered.hash, registered.text);
    return this.#create(
      {
        machine: machineName,
        name,
        arn,
        definition: registered.hash,
        block: '',
        input: request.input.text,
        ...(trace === undefined ? {} : { traceId: trace }),
      },
      waiter,
    );
  }

  #sameExecution(
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
    this.#addWaiter(running, waiter);
    return running;
  }

  #addWaiter(live: LiveExecution, waiter: Waiter | undefined): void {
    if (!waiter) return;
    live.record.waiters.push({
      execution: waiter.thread.execution.record.key,
      thread: waiter.thread.id,
      serial: waiter.serial,
    });
    this.#core.writer.execution(live);
  }

  #create(
    start: Pick<ExecutionRecord, 'machine' | 'name' | 'arn' | 'definition' | 'block' | 'input'> &
      Partial<ExecutionRecord>,
    waiter?: Waiter,
  ): LiveExecution {
    const record: ExecutionRecord = {
      key: this.#nextKey,
      status: 'RUNNING',
      startDate: this.#core.clock.now(),
      redriveCount: 0,
      eventCount: 0,
      nextThread: 1,
      waiters: [],
      ...start,
    };
    this.#nextKey += 1;
    const live = new LiveExecution(record, this.#machineOf(record));
    this.#addWaiter(live, waiter);
    this.#adopt(live);
    const root = new Thread(live, {
      index: 0,
      block: live.block(record.block),
      input: live.input,
      phase: 'enter',
      lastEvent: 0,
    });
    this.#core.emit(root, 'ExecutionStarted', 'executionStartedEventDetails', {
      input: record.input,
      inputDetails: { truncated: false },
      roleArn: 'arn:aws:iam::000000000000:role/embedded',
      ...(this.#core.retryScale === 1 ? {} : { retryScale: this.#core.retryScale }),
    });
    this.#core.commitStep(root);
    this.#core.enqueue(root);
    this.#armTimeout(live);
    if (record.mapRunArn === undefined) this.#announce(record);
    return live;
  }

  #beginChild(run: MapRunRecord, parent: LiveExecution, index: number, input: string): void {
    const name = this.#core.ids.ulid().toLowerCase();
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

  #announce(record: ExecutionRecord): void {
    const detail = statusChangeOf(record);
    this.#core.afterCommit(() => {
      for (const listener of this.#statusListeners) listener(detail);
    });
  }

  #ended(execution: LiveExecution): void {
    const { record } = execution;
    for (const waiter of record.waiters) {
      const thread = this.#core.live.get(waiter.execution)?.threads.get(waiter.thread);
      const result = JSON.stringify(childResultOf(record));
      if (!thread) continue;
      const ok = record.status === 'SUCCEEDED';
      this.#core.settle(
        thread,
        waiter.serial,
        ok ? { ok, output: result } : { ok, error: statesErrors.taskFailed, cause: result },
      );
    }
    record.waiters = [];
    if (record.mapRunArn === undefined) this.#announce(record);
    else this.#core.mapRuns.childEnded(record);
    this.#core.afterCommit(() => {
      if (this.#byArn.get(record.arn) === execution) this.#byArn.delete(record.arn);
      for (const resolve of this.#ends.get(record.arn) ?? []) resolve();
      this.#ends.delete(record.arn);
    });
  }

  #record(arn: string): ExecutionRecord {
    const record = this.#byArn.get(arn)?.record ?? this.#options.journal.execution(arn);
    if (record) return record;
    throw new NotFound('EXECUTION_NOT_FOUND', `There is no execution ${arn}.`);
  }

  /** An execution whole; `EXECUTION_NOT_FOUND` when there is none. */
  async describeExecution(arn: string): Promise<ExecutionDetail> {
    return detailOf(this.#record(arn), this.#core.clock.now());
  }

  /** Executions, newest first; children of a distributed Map only when their run is named. */
  async listExecutions(filter: {
    machine?: string;
    status?: ExecutionStatus;
    mapRunArn?: string;
    limit?: number;
  }): Promise<ExecutionSummary[]> {
    return this.#options.journal.list({ ...filter, limit: filter.limit ?? 100 }).map(summaryOf);
  }

  /** A page of an execution's history, oldest first; `fromId` starts at 1. */
  async getExecutionHistory(
    arn: string,
    { fromId = 1, limit = 1_000 }: { fromId?: number; limit?: number } = {},
  ): Promise<HistoryEvent[]> {
    const record = this.#record(arn);
    await this.#settleWrites(arn);
    return this.#options.journal.events(record.key, fromId, limit).map(historyEventOf);
  }

  /** What is staged for a running execution is written before its history is read. */
  async #settleWrites(arn: string): Promise<void> {
    if (this.#byArn.get(arn)?.events.length) await this.#committed();
  }

  /** Stops an execution and what it waits for. Stopping one that is over is no error, as on the service. */
  async stopExecution(arn: string, { error, cause }: { error: string; cause: string }): Promise<void> {
    this.#record(arn);
    this.#stop(arn, error, cause);
    await this.#committed();
  }

  #stop(arn: string, error: string, cause: string): void {
    const live = this.#byArn.get(arn);
    if (live && live.record.status === 'RUNNING') this.#core.endExecution(live, 'ABORTED', { error, cause });
  }

  /** Runs a failed execution again from where it failed; `REDRIVE_NOT_ALLOWED` says why not. */
  async redriveExecution(arn: string): Promise<void> {
    this.#refuseWhenStalled();
    const record = this.#record(arn);
    const refusal =
      record.mapRunArn === undefined
        ? redriveRefusal(record, this.#core.clock.now())
        : 'it belongs to a map run; redrive the execution that runs the Map';
    if (refusal) {
      throw new EpsilonError(
        'REDRIVE_NOT_ALLOWED',
        `Execution "${record.name}" cannot be redriven: ${refusal}.`,
        { exitCode: exitCodes.conflict },
      );
    }
    this.#redrive(arn);
    await this.#committed();
  }

  #redrive(arn: string): void {
    const stored = this.#options.journal.stored(arn);
    if (!stored) return;
    const { execution: record, threads } = stored;
    const { stopDate: _stop, output: _output, error: _error, cause: _cause, ...kept } = record;
    for (const key of ['stopDate', 'output', 'error', 'cause'] as const) delete record[key];
    Object.assign(record, kept, {
      status: 'RUNNING',
      redriveCount: record.redriveCount + 1,
      redriveDate: this.#core.clock.now(),
    });
    const live = restore(record, threads, this.#machineOf(record));
    this.#adopt(live);
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
    this.#armTimeout(live);
    resumeThreads(this.#core, live);
    if (record.mapRunArn === undefined) this.#announce(record);
  }

  /** Map runs that failed go on: failed children are redriven, missing ones started, finished ones kept. */
  #redriveMapRuns(live: LiveExecution): void {
    for (const thread of live.threads.values()) {
      const arn = thread.status === 'active' ? thread.task?.mapRunArn : undefined;
      const run = arn === undefined ? undefined : this.#options.journal.mapRun(arn);
      if (!run) continue;
      run.status = 'RUNNING';
      run.redriveCount += 1;
      delete run.stopDate;
      const again = this.#childrenOf(run.arn).filter(
        (child) => redriveRefusal(child, this.#core.clock.now()) === undefined,
      );
      this.#core.emit(thread, 'MapRunRedriven', 'mapRunRedrivenEventDetails', {
        mapRunArn: run.arn,
        redriveCount: run.redriveCount,
      });
      this.#core.commitStep(thread);
      for (const child of again) this.#redrive(child.arn);
      this.#core.mapRuns.restore(run, thread, new Set(again.map((child) => child.arn)));
    }
  }

  #childrenOf(mapRunArn: string): ExecutionRecord[] {
    const stored = new Map(this.#options.journal.childrenOf(mapRunArn).map((child) => [child.arn, child]));
    for (const { record } of this.#byArn.values())
      if (record.mapRunArn === mapRunArn) stored.set(record.arn, record);
    return [...stored.values()];
  }

  // --- map runs -------------------------------------------------------------------------------------------------

  /** A run of a distributed Map with its counts. */
  async describeMapRun(arn: string): Promise<MapRunDetail> {
    const record = this.#options.journal.mapRun(arn);
    if (!record) throw new NotFound('MAP_RUN_NOT_FOUND', `There is no map run ${arn}.`);
    const {
      inputs: _inputs,
      execution: _execution,
      thread: _thread,
      serial: _serial,
      block: _block,
      ...shown
    } = record;
    return { ...shown, itemCounts: { ...this.#countsOf(record), total: record.total } };
  }

  #countsOf(record: MapRunRecord): MapRunCounts {
    const live = this.#core.mapRuns.countsOf(record.arn);
    if (live) return live;
    const children = this.#childrenOf(record.arn);
    const count = (status: ExecutionStatus) => children.filter((child) => child.status === status).length;
    return {
      pending: record.total - children.length,
      running: count('RUNNING'),
      succeeded: count('SUCCEEDED'),
      failed: count('FAILED'),
      timedOut: count('TIMED_OUT'),
      aborted: count('ABORTED'),
    };
  }

  /** Map runs of an execution. */
  async listMapRuns(arn: string): Promise<MapRunDetail[]> {
    const runs = this.#options.journal.mapRunsOf(this.#record(arn).key);
    return Promise.all(runs.map((run) => this.describeMapRun(run.arn)));
  }

  // --- callbacks ------------------------------------------------------------------------------------------------

  #waiting(token: string): { thread: Thread; serial: number } {
    const parts = token.length <= 2_048 ? tokenParts(token) : undefined;
    if (!parts) throw new InvalidToken('The task token is not one of this engine.');
    const thread = this.#core.live.get(parts.execution)?.threads.get(parts.thread);
    if (thread?.task?.token !== token || thread.phase !== 'task' || thread.status !== 'active') {
      throw new TaskTimedOut('The task of this token is not waited for any more.');
    }
    return { thread, serial: parts.serial };
  }

  /** Completes a Task by its token; throws `TaskTimedOut` or `InvalidToken` by name. */
  async sendTaskSuccess(token: string, output: unknown): Promise<void> {
    const { thread, serial } = this.#waiting(token);
    this.#core.settle(thread, serial, { ok: true, output: JSON.stringify(output ?? null) });
    await this.#committed();
  }

  /** Fails a Task by its token. */
  async sendTaskFailure(token: string, { error, cause }: { error: string; cause: string }): Promise<void> {
    const { thread, serial } = this.#waiting(token);
    this.#core.settle(thread, serial, { ok: false, error, cause });
    await this.#committed();
  }

  /** Says that a Task is alive. */
  async sendTaskHeartbeat(token: string): Promise<void> {
    const { thread } = this.#waiting(token);
    const { task } = thread;
    if (task?.heartbeatMs === undefined) return;
    task.heartbeatAt = this.#core.clock.now() + task.heartbeatMs;
    this.#core.touch(thread);
  }

  // --- listening ------------------------------------------------------------------------------------------------

  /** Details of "Step Functions Execution Status Change", after they are in the journal. Returns the unsubscriber. */
  onStatusChange(listener: (detail: Record<string, unknown>) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  /** Every history event as it is made. */
  onHistoryEvent(listener: (execution: ExecutionRecord, event: EventRecord) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Resolves when the execution is over (and in the journal). */
  async settled(arn: string): Promise<ExecutionDetail> {
    if (this.#record(arn).status === 'RUNNING' || this.#byArn.has(arn)) {
      await new Promise<void>((resolve) => this.#ends.set(arn, [...(this.#ends.get(arn) ?? []), resolve]));
    }
    return this.describeExecution(arn);
  }

  /** Something is going to happen without time passing or anybody calling. */
  get busy(): boolean {
    return this.#core.busy;
  }

  /** Executions that are not over. */
  get liveCount(): number {
    return this.#core.live.size;
  }

  /** Stops taking steps. Nothing is recorded as ended: the next process takes everything up again. */
  async close(): Promise<void> {
    this.#core.close();
    this.#core.writer.flush();
    this.#options.journal.close();
  }
}
