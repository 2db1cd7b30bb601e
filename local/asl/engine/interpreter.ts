import type { Clock, Timer } from '../../../lib/ports/clock.ts';
import type { IdSource } from '../../../lib/ports/id-source.ts';
import type { Random } from '../../../lib/ports/random.ts';
import type { Journal } from '../journal/journal.ts';
import type { Evaluators } from '../jsonata/evaluators.ts';
import { ActiveMapRuns } from '../map/active-map-runs.ts';
import { type Failure, statesErrors } from '../model/failure.ts';
import type { Integrations } from '../model/integrations.ts';
import type { Payload } from '../model/json.ts';
import type { Mock } from '../model/mock.ts';
import type { EventRecord, MapRunRecord, Outcome } from '../model/records.ts';
import { TurnoverMap } from '../model/turnover-map.ts';
import { isReady, step } from '../states/step.ts';
import type { Chain, LiveExecution, Thread } from '../threads/live-execution.ts';
import { isOver, type Limits } from '../threads/state-context.ts';
import { Deadlines } from './deadlines.ts';
import { EventRecorder } from './event-recorder.ts';
import { recordEnd } from './execution-completion.ts';
import { GroupWriter } from './group-writer.ts';
import type { EndStatus, InterpreterContext } from './interpreter-context.ts';
import { isPassThrough, type PassingParts, passThrough } from './pass-through.ts';
import { TaskCalls } from './task-calls.ts';
import { ThreadCompletion } from './thread-completion.ts';

/** What the engine is made of. */
export interface InterpreterOptions {
  readonly journal: Journal;
  readonly integrations: Integrations;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly limits: Limits;
  readonly retryScale: number;
  readonly onFault: (error: Error) => void;
  /** Hears when the journal has to wait for room or for another process, and with undefined when it goes on. */
  readonly onStall?: (error: Error | undefined) => void;
  /** Evaluates expressions that are not plain; closed with the engine. */
  readonly evaluators: Evaluators;
  /** Answers Tasks by state name instead of calling anything. */
  readonly mock?: Mock;
}

/** What the interpreter reports to its owner. */
export interface InterpreterListeners {
  /** An execution ended; called while its end is being recorded. */
  ended(execution: LiveExecution): void;
  event(execution: LiveExecution, event: EventRecord): void;
}

/** Items and thousands of characters that one step may go through in plain expressions: a few milliseconds. */
const stepBudget = 100_000;

/** Threads run in one turn of the event loop before others (timers, sockets) get theirs. */
const turn = 2_000;

/** The engine's heart: a queue of threads that have a step to take, and a writer that remembers what they did. */
export class Interpreter implements InterpreterContext {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly limits: Limits;
  readonly retryScale: number;
  readonly integrations: Integrations;
  readonly evaluators: Evaluators;
  readonly budget = { left: 0 };
  readonly writer: GroupWriter;
  readonly deadlines: Deadlines;
  readonly calls: TaskCalls;
  readonly mapRuns: ActiveMapRuns;
  readonly live = new TurnoverMap<number, LiveExecution>();
  readonly #listeners: InterpreterListeners;
  readonly #completion: ThreadCompletion;
  readonly #onFault: (error: Error) => void;
  readonly #recorder: EventRecorder;
  readonly #passing: PassingParts;
  #queue: Thread[] = [];
  #scheduled = false;
  #closed = false;
  #suspended = 0;

  constructor(options: InterpreterOptions, listeners: InterpreterListeners) {
    this.clock = options.clock;
    this.ids = options.ids;
    this.random = options.random;
    this.limits = options.limits;
    this.retryScale = options.retryScale;
    this.integrations = options.integrations;
    this.evaluators = options.evaluators;
    this.#onFault = options.onFault;
    this.#listeners = listeners;
    this.deadlines = new Deadlines(options.clock);
    this.writer = new GroupWriter(options);
    this.#recorder = new EventRecorder(this.writer, options.clock, listeners.event);
    this.#passing = { context: this, record: (thread, event) => this.#recorder.keep(thread, event) };
    this.calls = new TaskCalls(this, options.mock);
    this.mapRuns = new ActiveMapRuns(this);
    this.#completion = new ThreadCompletion(this);
  }

  emit(
    thread: Thread,
    type: string,
    detailName?: string,
    details?: Readonly<Record<string, unknown>>,
    chain?: Chain,
  ): void {
    thread.staged.push({ type, detailName, details, chain });
  }

  commitStep(thread: Thread): void {
    this.#recorder.commitStep(thread);
  }

  commitEntered(thread: Thread): void {
    this.#recorder.commitEntered(thread);
  }

  enqueue(thread: Thread): void {
    if (thread.queued) return;
    thread.queued = true;
    this.#queue.push(thread);
    this.schedule();
  }

  touch(thread: Thread): void {
    this.writer.thread(thread);
    this.schedule();
  }

  afterCommit(effect: () => void): void {
    this.writer.afterCommit(effect);
    this.schedule();
  }

  at(instant: number, callback: () => void): Timer {
    return this.deadlines.add(instant, callback);
  }

  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => this.#tick());
  }

  #tick(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    try {
      this.drain();
      this.writer.flush();
    } catch (error) {
      this.#onFault(error as Error);
    }
    if (this.#queue.length > 0) this.schedule();
  }

  /** Runs queued threads, at most one turn's worth. */
  drain(): void {
    const queue = this.#queue;
    for (let index = 0; index < queue.length && index < turn; index += 1) this.#run(queue[index] as Thread);
    this.#queue = queue.length <= turn ? [] : queue.slice(turn);
  }

  /** Something is going to happen without anybody calling. */
  get busy(): boolean {
    return this.#scheduled || this.#queue.length > 0 || this.#suspended > 0;
  }

  close(): void {
    this.#closed = true;
    this.deadlines.close();
    this.evaluators.close();
    this.calls.abortAll([...this.live.values()]);
  }

  #run(thread: Thread): void {
    thread.queued = false;
    while (isReady(thread) && !thread.suspended && !isOver(thread.execution)) {
      if (!this.#pass(thread) && !this.#attempt(thread, step(this, thread), undefined)) return;
      if (thread.execution.record.eventCount >= this.limits.historyEvents) this.#tooLong(thread);
    }
  }

  /** The short way through a state that only hands on what it is given; false where the general one is to be taken. */
  #pass(thread: Thread): boolean {
    if (thread.phase !== 'enter') return false;
    const { state } = thread;
    if (!isPassThrough(state) || !passThrough(this.#passing, thread, state)) return false;
    this.writer.thread(thread);
    return true;
  }

  /** Drives one step as `advance` does. A step that breaks ends its own execution; the others go on. */
  #attempt(
    thread: Thread,
    steps: ReturnType<typeof step>,
    resume: { value: unknown } | { error: unknown } | undefined,
  ): boolean {
    this.budget.left = stepBudget;
    try {
      return this.#advance(thread, steps, resume);
    } catch (error) {
      this.#onFault(error as Error);
      thread.staged = [];
      if (!isOver(thread.execution)) {
        this.endExecution(thread.execution, 'FAILED', {
          error: statesErrors.runtime,
          cause: `State "${thread.stateName}" could not be taken further: ${String(error)}`,
        });
      }
      return false;
    }
  }

  /** Drives one step; false when it has to wait for a promise. */
  #advance(
    thread: Thread,
    steps: ReturnType<typeof step>,
    resume: { value: unknown } | { error: unknown } | undefined,
  ): boolean {
    const next = resume && 'error' in resume ? steps.throw(resume.error) : steps.next(resume?.value);
    if (next.done) {
      this.commitStep(thread);
      return true;
    }
    thread.suspended = true;
    this.#suspended += 1;
    const go = (result: { value: unknown } | { error: unknown }) => {
      thread.suspended = false;
      this.#suspended -= 1;
      if (this.#closed || thread.status !== 'active' || isOver(thread.execution)) return;
      if (this.#attempt(thread, steps, result)) this.enqueue(thread);
    };
    next.value.then(
      (value) => go({ value }),
      (error: unknown) => go({ error }),
    );
    return false;
  }

  #tooLong(thread: Thread): void {
    const { execution } = thread;
    if (isOver(execution)) return;
    this.endExecution(execution, 'FAILED', {
      error: statesErrors.runtime,
      cause: `The execution reached the maximum number of history events (${this.limits.historyEvents}).`,
    });
  }

  dropChildren(thread: Thread): void {
    this.#completion.drop(thread);
  }

  finishThread(thread: Thread, output: Payload): void {
    this.#completion.finish(thread, output);
  }

  failThread(thread: Thread, failure: Failure): void {
    this.#completion.fail(thread, failure);
  }

  settle(thread: Thread, serial: number, outcome: Outcome): boolean {
    const waits = thread.status === 'active' && thread.phase === 'task' && thread.task?.serial === serial;
    if (!waits || isOver(thread.execution)) return false;
    thread.outcome = outcome;
    thread.phase = 'resume';
    thread.disarm();
    if (!outcome.ok) this.calls.abort(thread);
    this.touch(thread);
    this.enqueue(thread);
    return true;
  }

  startTask(thread: Thread): void {
    this.calls.start(thread);
  }

  abortTask(thread: Thread): void {
    this.calls.abort(thread);
  }

  forgetThread(thread: Thread): void {
    this.writer.removeThread(thread);
  }

  saveMapRun(run: MapRunRecord): void {
    this.writer.mapRun(run);
  }

  endExecution(
    execution: LiveExecution,
    status: EndStatus,
    end: { output?: string; error?: string; cause?: string },
  ): void {
    recordEnd({ context: this, writer: this.writer }, execution, status, end);
    this.live.delete(execution.record.key);
    this.#listeners.ended(execution);
    this.schedule();
  }
}
