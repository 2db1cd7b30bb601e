import type { Clock, Timer } from '../../../lib/ports/clock.ts';
import type { IdSource } from '../../../lib/ports/id-source.ts';
import type { Random } from '../../../lib/ports/random.ts';
import type { Evaluators } from '../jsonata/evaluators.ts';
import type { Scope } from '../jsonata/expression.ts';
import type { Evaluation, EvaluationResult } from '../jsonata/protocol.ts';
import { AslFailure, type Failure, statesErrors } from '../model/failure.ts';
import type { Integrations } from '../model/integrations.ts';
import type { Json, Payload } from '../model/json.ts';
import { exceeds, textWeights } from '../model/measure.ts';
import { machineArn, roleArn } from '../model/names.ts';
import type { ExecutionRecord, MapRunRecord, Outcome } from '../model/records.ts';
import type { Chain, LiveExecution, Thread } from './live-execution.ts';

/** Limits of the service; a simulation may raise them, a deployment cannot. */
export interface Limits {
  /** Bytes of a state's input or output. */
  readonly payloadBytes: number;
  /** Events of one execution's history. */
  readonly historyEvents: number;
  /** Iterations of an inline Map at once. */
  readonly inlineIterations: number;
  /** Children of a distributed Map at once. */
  readonly distributedChildren: number;
}

/** The service's limits (docs/asl-support.md names the pages). */
export const serviceLimits: Limits = {
  payloadBytes: 262_144,
  historyEvents: 25_000,
  inlineIterations: 40,
  distributedChildren: 10_000,
};

/** How a state's code waits for what is not at hand: it yields a promise and is given its value. */
export type Steps<T = void> = Generator<Promise<unknown>, T, unknown>;

/** What states need of the engine. Everything is synchronous; effects run after the journal has been written. */
export interface StateContext {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly limits: Limits;
  readonly retryScale: number;
  readonly integrations: Integrations;
  readonly mapRuns: MapRuns;
  readonly evaluators: Evaluators;
  /** What the step under way may still spend on expressions in this process. */
  readonly budget: { left: number };
  /** Executions that are not over, by key. */
  readonly live: Pick<ReadonlyMap<number, LiveExecution>, 'get' | 'values'>;
  /** Stages an event of the step under way. */
  emit(
    thread: Thread,
    type: string,
    detailName?: string,
    details?: Readonly<Record<string, unknown>>,
    chain?: Chain,
  ): void;
  /** Numbers the event that says a state was entered ahead of its step, whose failure is to name it. */
  commitEntered(thread: Thread): void;
  /** Numbers the staged events of a thread: what it did so far is on record. */
  commitStep(thread: Thread): void;
  enqueue(thread: Thread): void;
  touch(thread: Thread): void;
  /** Drops a thread's children and all below them. */
  dropChildren(thread: Thread): void;
  /** Runs after everything so far is in the journal. */
  afterCommit(effect: () => void): void;
  /** Calls back at an instant, unless called off. */
  at(instant: number, callback: () => void): Timer;
  /** Hands a Task's answer over; ignored when `serial` is not the thread's try any more. */
  settle(thread: Thread, serial: number, outcome: Outcome): boolean;
  failThread(thread: Thread, failure: Failure): void;
  finishThread(thread: Thread, output: Payload): void;
  startTask(thread: Thread): void;
  /** Writes a map run's record with the rest of the turn. */
  saveMapRun(run: MapRunRecord): void;
}

/** Settings of one run of a distributed Map. */
export interface MapSettings {
  readonly maxConcurrency: number;
  readonly toleratedPercentage: number;
  readonly toleratedCount: number;
}

/** What a distributed Map needs of its runs. */
export interface MapRuns {
  /** An ARN for a run of the thread's Map. */
  name(thread: Thread): string;
  start(thread: Thread, arn: string, inputs: readonly Json[], settings: MapSettings): void;
  /** Records a run that failed before it had children. */
  refuse(thread: Thread, arn: string, settings: MapSettings): void;
  /** Children and their inputs of a run that ended. */
  endOf(arn: string): MapRunEnd;
  /** Stops a run whose Map is not waited for any more. */
  abort(arn: string): void;
}

/** A run of a distributed Map when it is over. */
export interface MapRunEnd {
  /** In order of their index, read from the journal as they are asked for. */
  readonly children: Iterable<ExecutionRecord>;
  /** Inputs of all children, those that were never started included. */
  readonly inputs: readonly Json[];
}

/** What `$states` holds beside the Context object. */
export interface Visible {
  readonly input?: Json;
  readonly result?: Json;
  readonly errorOutput?: Json;
}

function contextObjectOf(thread: Thread): Record<string, unknown> {
  const { record, input } = thread.execution;
  const iteration = iterationOf(thread);
  return {
    Execution: {
      Id: record.arn,
      Input: input.value,
      Name: record.name,
      RoleArn: roleArn,
      StartTime: new Date(record.startDate).toISOString(),
      RedriveCount: record.redriveCount,
      ...(record.redriveDate === undefined
        ? {}
        : { RedriveTime: new Date(record.redriveDate).toISOString() }),
    },
    State: {
      EnteredTime: new Date(thread.enteredAt).toISOString(),
      Name: thread.stateName,
      ...(isRetried(thread) ? { RetryCount: thread.retryCount } : {}),
    },
    StateMachine: { Id: machineArn(record.machine), Name: record.machine },
    ...(thread.task?.token === undefined ? {} : { Task: { Token: thread.task.token } }),
    ...(iteration ? { Map: { Item: { Index: iteration.index, Value: iteration.item?.value ?? null } } } : {}),
  };
}

/** States that may have a Retry, and so a count of retries. */
const retried: ReadonlySet<string> = new Set(['Task', 'Parallel', 'Map']);

const isRetried = ({ state }: Thread) => retried.has(state.type);

function iterationOf(thread: Thread): Thread | undefined {
  for (let at: Thread | undefined = thread; at; at = at.parent) if (at.item) return at;
  return undefined;
}

/** A variable's value, from the thread outwards. */
function variableOf(thread: Thread, name: string): unknown {
  for (let at: Thread | undefined = thread; at; at = at.parent)
    if (Object.hasOwn(at.variables, name)) return at.variables[name];
  return undefined;
}

/** What the expressions of one field see; the Context object is built only when one asks for it. */
class ThreadScope implements Scope {
  readonly #context: StateContext;
  readonly #thread: Thread;
  readonly #visible: Visible;
  readonly #contextObject: Record<string, unknown> | undefined;
  #states: Record<string, unknown> | undefined;

  constructor(
    context: StateContext,
    thread: Thread,
    visible: Visible,
    contextObject: Record<string, unknown> | undefined,
  ) {
    this.#context = context;
    this.#thread = thread;
    this.#visible = visible;
    this.#contextObject = contextObject;
  }

  lookup(name: string): unknown {
    if (name !== 'states') return variableOf(this.#thread, name);
    const [thread, contextObject] = [this.#thread, this.#contextObject];
    this.#states ??= {
      ...this.#visible,
      get context() {
        const value = contextObject
          ? { ...contextObjectOf(thread), ...contextObject }
          : contextObjectOf(thread);
        Object.defineProperty(this, 'context', { value, enumerable: true });
        return value;
      },
    };
    return this.#states;
  }

  get budget(): { left: number } {
    return this.#context.budget;
  }

  evaluate(evaluation: Evaluation): Promise<EvaluationResult> {
    return this.#context.evaluators.evaluate(evaluation);
  }

  now(): number {
    return this.#context.clock.now();
  }

  random(): number {
    return this.#context.random();
  }

  uuid(): string {
    return uuidFrom(this.#context.ids.traceId());
  }
}

/** The scope of one field's evaluation. */
export function scopeOf(
  context: StateContext,
  thread: Thread,
  visible: Visible,
  contextObject?: Record<string, unknown>,
): Scope {
  return new ThreadScope(context, thread, visible, contextObject);
}

/** A version 4 UUID from 32 hex digits. */
export function uuidFrom(hex: string): string {
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Whether a payload fits the service's limit. */
export function fitsPayload({ limits: { payloadBytes } }: StateContext, payload: Payload): boolean {
  // Measured before it is written: the text of a value whose parts are shared may be endless.
  if (
    !payload.isWritten &&
    Number.isFinite(payloadBytes) &&
    exceeds(payload.value, payloadBytes, textWeights)
  )
    return false;
  const { text } = payload;
  return text.length * 3 <= payloadBytes || Buffer.byteLength(text) <= payloadBytes;
}

/** Returns the payload when it fits the service's limit; otherwise fails with `States.DataLimitExceeded`. */
export function checkSize(context: StateContext, payload: Payload, what: string): Payload {
  const { payloadBytes } = context.limits;
  if (fitsPayload(context, payload)) return payload;
  throw new AslFailure(
    statesErrors.tooLarge,
    `The ${what} has more than ${payloadBytes} bytes, the maximum the service allows.`,
  );
}

/** The live execution of a thread is over or gone. */
export function isOver(execution: LiveExecution): boolean {
  return execution.record.status !== 'RUNNING';
}
