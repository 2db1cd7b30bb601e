import type {
  ExecutionDetail,
  ExecutionStatus,
  ExecutionSummary,
  HistoryEvent,
  MapRunSettings,
} from '../../../lib/ports/workflows.ts';
import { type Evaluators, ProcessEvaluators } from '../jsonata/evaluators.ts';
import type { MapRunDetail } from '../map/map-run-detail.ts';
import { detailOf, historyEventOf, statusChangeOf, summaryOf } from '../model/describe.ts';
import type { Failure } from '../model/failure.ts';
import { type Json, Payload } from '../model/json.ts';
import type { EventRecord, ExecutionRecord } from '../model/records.ts';
import { type Limits, serviceLimits } from '../threads/state-context.ts';
import { Executions } from './executions.ts';
import { Interpreter, type InterpreterOptions } from './interpreter.ts';
import { Listeners } from './listeners.ts';
import { MachineRegistry, type MachineSource } from './machine-registry.ts';
import { changeMapRun, describeMapRun } from './map-run-settings.ts';
import { ownerOf, resumeThreads } from './recovery.ts';
import { Redriver } from './redriver.ts';
import { TaskTokens } from './task-tokens.ts';

/** How an engine is opened; limits and retryScale default to the service's. */
export type EngineOptions = Omit<InterpreterOptions, 'limits' | 'retryScale' | 'evaluators'> & {
  /** Processes for expressions that are not plain; by default its own, started when the first one comes. */
  readonly evaluators?: Evaluators;
  readonly limits?: Partial<Limits>;
  /** Factor on the pauses of Retry, for demos and tests; 1 is the machine's own. */
  readonly retryScale?: number;
};

/** A start as the engine takes it. `input` is any JSON value. */
export interface StartRequest {
  readonly machine: string;
  readonly name?: string;
  readonly input: unknown;
  readonly traceId?: string;
}

/**
 * A Step Functions engine in this process: JSONata machines, durable as its journal is.
 * What a promise of it has confirmed is in the journal.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #interpreter: Interpreter;
  readonly #machines: MachineRegistry;
  readonly #executions: Executions;
  readonly #redriver: Redriver;
  readonly #tokens: TaskTokens;
  readonly #statusListeners: Listeners<[detail: Record<string, unknown>]>;
  readonly #eventListeners: Listeners<[execution: ExecutionRecord, event: EventRecord]>;

  constructor(options: EngineOptions) {
    const { journal, onFault } = options;
    this.#options = options;
    this.#statusListeners = new Listeners(onFault);
    this.#eventListeners = new Listeners(onFault);
    this.#machines = new MachineRegistry(journal);
    const interpreter = new Interpreter(
      {
        ...options,
        limits: { ...serviceLimits, ...options.limits },
        retryScale: options.retryScale ?? 1,
        evaluators: options.evaluators ?? new ProcessEvaluators(),
      },
      {
        ended: (execution) => this.#executions.ended(execution),
        event: ({ record }, event) => {
          if (this.#eventListeners.any) this.#eventListeners.notify(record, event);
        },
      },
    );
    const parts = {
      interpreter,
      journal,
      machines: this.#machines,
      announce: (record: ExecutionRecord) => this.#announce(record),
    };
    this.#interpreter = interpreter;
    this.#executions = new Executions(parts);
    this.#redriver = new Redriver({ ...parts, executions: this.#executions });
    this.#tokens = new TaskTokens(interpreter);
    this.#connect();
  }

  /** Lets Tasks and Maps start and stop executions. */
  #connect(): void {
    const executions = this.#executions;
    const stop = (arn: string, cause: string) => executions.stop(arn, 'States.Aborted', cause);
    this.#interpreter.calls.children = {
      start: ({ waiter, input, ...request }) => {
        const { record } = executions.begin({ ...request, input: Payload.parse(input) }, waiter);
        return { arn: record.arn, startDate: record.startDate };
      },
      stop,
    };
    this.#interpreter.mapRuns.starter = {
      startChild: (run, parent, index, input) => executions.beginChild(run, parent, index, input),
      stop,
      childrenOf: (arn) => executions.childrenOf(arn),
      readInputs: (arn) => JSON.parse(this.#options.journal.mapRun(arn)?.inputs ?? '[]') as Json[],
    };
  }

  #announce(record: ExecutionRecord): void {
    const detail = statusChangeOf(record);
    this.#interpreter.afterCommit(() => this.#statusListeners.notify(detail));
  }

  get #mapRunParts() {
    return {
      interpreter: this.#interpreter,
      executions: this.#executions,
      journal: this.#options.journal,
    };
  }

  /** While held, the time of waits and timeouts stands still: what keeps everything waiting is outside. */
  hold(held: boolean): void {
    this.#interpreter.deadlines.hold(held);
  }

  #refuseWhenStalled(): void {
    const { stalled } = this.#interpreter.writer;
    if (stalled) throw stalled;
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => this.#interpreter.afterCommit(resolve));
  }

  /** Makes a machine known under a name; throws `ASL_INVALID` or `ASL_UNSUPPORTED`. Running executions keep theirs. */
  registerMachine(source: MachineSource): void {
    this.#machines.register(source);
  }

  machines(): string[] {
    return this.#machines.names();
  }

  /** Takes up everything that was under way when the last process ended. Call once, after the machines are registered. */
  recover(): number {
    this.#executions.adoptOpen();
    for (const run of this.#options.journal.openMapRuns()) {
      const owner = ownerOf(this.#interpreter, run);
      if (owner) this.#interpreter.mapRuns.restore(run, owner);
    }
    for (const live of [...this.#interpreter.live.values()]) {
      this.#executions.armTimeout(live);
      resumeThreads(this.#interpreter, live);
    }
    this.#interpreter.schedule();
    return this.#interpreter.live.size;
  }

  /** Ends everything that was under way, for a journal that was restored from a copy; gives how many executions there were. */
  endAll(end: { readonly error: string; readonly cause: string }): number {
    return this.#executions.endAll(end);
  }

  /** Starts an execution. The same name and input while it runs is the same execution; otherwise `EXECUTION_ALREADY_EXISTS`. */
  async startExecution({
    input,
    ...request
  }: StartRequest): Promise<{ readonly executionArn: string; readonly startDate: string }> {
    this.#refuseWhenStalled();
    const value = JSON.parse(JSON.stringify(input ?? {})) as Json;
    const { record } = this.#executions.begin({ ...request, input: new Payload(value) });
    await this.#committed();
    return { executionArn: record.arn, startDate: new Date(record.startDate).toISOString() };
  }

  /** An execution whole; `EXECUTION_NOT_FOUND` when there is none. */
  async describeExecution(arn: string): Promise<ExecutionDetail> {
    return detailOf(this.#executions.record(arn), this.#interpreter.clock.now());
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
    const { key } = this.#executions.record(arn);
    // What is staged for a running execution is written before its history is read.
    if (this.#executions.live(arn)?.events.length) await this.#committed();
    return this.#options.journal.events(key, fromId, limit).map(historyEventOf);
  }

  /** Stops an execution and what it waits for. Stopping one that is over is no error, as on the service. */
  async stopExecution(arn: string, { error, cause }: { error: string; cause: string }): Promise<void> {
    this.#executions.record(arn);
    this.#executions.stop(arn, error, cause);
    await this.#committed();
  }

  /** Runs a failed execution again from where it failed; `REDRIVE_NOT_ALLOWED` says why not. */
  async redriveExecution(arn: string): Promise<void> {
    this.#refuseWhenStalled();
    this.#redriver.check(this.#executions.record(arn));
    // A redrive goes on from what the journal holds: an end that is only staged has to be there first.
    if (this.#executions.live(arn)) await this.#committed();
    this.#redriver.check(this.#executions.record(arn));
    this.#redriver.redrive(arn);
    await this.#committed();
  }

  /** A run of a distributed Map with its counts; `MAP_RUN_NOT_FOUND`. */
  async describeMapRun(arn: string): Promise<MapRunDetail> {
    return describeMapRun(this.#mapRunParts, arn);
  }

  /** Map runs of an execution. */
  async listMapRuns(arn: string): Promise<MapRunDetail[]> {
    const runs = this.#options.journal.mapRunsOf(this.#executions.record(arn).key);
    return Promise.all(runs.map((run) => this.describeMapRun(run.arn)));
  }

  /** Changes settings of a map run that is running: `MAP_RUN_NOT_FOUND`, `MAP_RUN_NOT_RUNNING`. In the journal when it returns. */
  async updateMapRun(arn: string, changes: Partial<MapRunSettings>): Promise<void> {
    this.#refuseWhenStalled();
    changeMapRun(this.#mapRunParts, arn, changes);
    await this.#committed();
  }

  /** Completes a Task by its token; throws `TaskTimedOut` or `InvalidToken` by name. */
  async sendTaskSuccess(token: string, output: unknown): Promise<void> {
    this.#tokens.succeed(token, output);
    await this.#committed();
  }

  /** Fails a Task by its token. */
  async sendTaskFailure(token: string, failure: Failure): Promise<void> {
    this.#tokens.fail(token, failure);
    await this.#committed();
  }

  /** Says that a Task is alive. */
  async sendTaskHeartbeat(token: string): Promise<void> {
    this.#tokens.heartbeat(token);
    await this.#committed();
  }

  /** Details of "Step Functions Execution Status Change", after they are in the journal. Returns the unsubscriber. */
  onStatusChange(listener: (detail: Record<string, unknown>) => void): () => void {
    return this.#statusListeners.add(listener);
  }

  /** Every history event as it is made. */
  onHistoryEvent(listener: (execution: ExecutionRecord, event: EventRecord) => void): () => void {
    return this.#eventListeners.add(listener);
  }

  /** Resolves when the execution is over (and in the journal). */
  async settled(arn: string): Promise<ExecutionDetail> {
    await this.#executions.settled(arn);
    return this.describeExecution(arn);
  }

  /** Something is going to happen without time passing or anybody calling. */
  get busy(): boolean {
    return this.#interpreter.busy;
  }

  /** Executions that are not over. */
  get liveCount(): number {
    return this.#interpreter.live.size;
  }

  /** Stops taking steps. Nothing is recorded as ended: the next process takes everything up again. */
  async close(): Promise<void> {
    this.#interpreter.close();
    this.#interpreter.writer.flush();
    this.#options.journal.close();
  }
}
