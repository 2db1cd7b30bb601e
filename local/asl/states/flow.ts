import type { Retrier, State } from '../definition/machine.ts';
import type { Template } from '../jsonata/template.ts';
import { AslFailure, EvaluationFailure, failureOf, matchesError } from '../model/failure.ts';
import { type Json, Payload } from '../model/json.ts';
import type { Chain, Thread } from '../threads/live-execution.ts';
import { checkSize, type StateContext, type Steps, scopeOf, type Visible } from '../threads/state-context.ts';

const notTruncated = { truncated: false };

/** Emits the state's Entered event and resets what belongs to one visit. */
export function enterState(context: StateContext, thread: Thread, state: State): void {
  thread.enteredAt = context.clock.now();
  thread.enteredEvent = undefined;
  thread.retries = [];
  thread.retryCount = 0;
  context.emit(thread, `${state.type}StateEntered`, 'stateEnteredEventDetails', {
    name: state.name,
    input: thread.input.text,
    inputDetails: notTruncated,
  });
}

/** Where a state goes on leaving and what it evaluates on the way. */
export interface Exit {
  readonly next?: string;
  readonly output?: Template;
  readonly assign?: Template;
}

/** Evaluates Assign and Output side by side, emits the Exited event, and moves on or ends the thread. */
export function* leaveState(
  context: StateContext,
  thread: Thread,
  exit: Exit,
  visible: Visible,
  fallback: Payload,
): Steps {
  const { state } = thread;
  let output = fallback;
  let assigned: Json | undefined;
  if (exit.assign || exit.output) {
    const scope = scopeOf(context, thread, visible);
    if (exit.assign) assigned = yield* exit.assign.evaluate(scope);
    if (exit.output) output = new Payload(yield* exit.output.evaluate(scope));
  }
  checkSize(context, output, `output of state "${state.name}"`);
  if (assigned !== undefined) {
    checkSize(context, new Payload(assigned), `set of variables assigned in state "${state.name}"`);
    thread.variables = { ...thread.variables, ...(assigned as Record<string, unknown>) };
  }
  context.emit(thread, `${state.type}StateExited`, 'stateExitedEventDetails', {
    name: state.name,
    output: output.text,
    outputDetails: notTruncated,
    ...(assigned === undefined
      ? {}
      : { assignedVariables: textsOf(assigned), assignedVariablesDetails: notTruncated }),
  });
  clearVisit(thread);
  if (exit.next === undefined) {
    context.finishThread(thread, output);
    return;
  }
  thread.stateName = exit.next;
  thread.input = output;
  thread.phase = 'enter';
}

function textsOf(assigned: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(assigned as Record<string, Json>).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}

function clearVisit(thread: Thread): void {
  thread.task = undefined;
  thread.outcome = undefined;
  thread.until = undefined;
  thread.items = undefined;
  thread.expected = 0;
  thread.finished = 0;
}

/** Milliseconds of the pause before retry number `count` (from 1) of a retrier. */
function retryDelay(retrier: Retrier, count: number, random: () => number): number {
  const grown = retrier.intervalSeconds * retrier.backoffRate ** (count - 1);
  const capped = Math.min(grown, retrier.maxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return (retrier.jitter ? random() * capped : capped) * 1000;
}

function tryRetry(context: StateContext, thread: Thread, state: State, error: string | undefined): boolean {
  const index = state.retry.findIndex((retrier) => matchesError(retrier.errorEquals, error));
  const retrier = state.retry[index];
  const used = thread.retries[index] ?? 0;
  if (!retrier || used >= retrier.maxAttempts) return false;
  thread.retries = Array.from(
    { length: Math.max(thread.retries.length, index + 1) },
    (_, at) => (thread.retries[at] ?? 0) + (at === index ? 1 : 0),
  );
  thread.retryCount += 1;
  context.dropChildren(thread);
  clearVisit(thread);
  const delay = retryDelay(retrier, used + 1, context.random) * context.retryScale;
  const until = context.clock.now() + delay;
  thread.phase = 'retry';
  thread.until = until;
  thread.timers.pause = context.at(until, () => {
    if (thread.phase !== 'retry' || thread.until !== until || thread.status !== 'active') return;
    thread.phase = 'again';
    thread.until = undefined;
    context.enqueue(thread);
  });
  return true;
}

/** The thread whose state an expression belongs to: that of an ItemSelector is the Map. */
function evaluatingThread(thread: Thread): Thread {
  return thread.phase === 'select' && thread.parent ? thread.parent : thread;
}

/** A failure with what the service says first of each: in which state it happened, and which event entered that. */
export function inState(context: StateContext, thread: Thread, failure: AslFailure): AslFailure {
  if (!(failure instanceof EvaluationFailure)) return failure;
  const { stateName } = evaluatingThread(thread);
  if (thread.phase !== 'select') context.commitEntered(thread);
  const { enteredEvent } = evaluatingThread(thread);
  const entered = enteredEvent === undefined ? '' : ` (entered at the event id #${enteredEvent})`;
  return new EvaluationFailure(
    `An error occurred while executing the state '${stateName}'${entered}. ${failure.reason}`,
    failure.location,
  );
}

/** The event of an expression that failed; none for other failures. */
export function tellEvaluationFailed(
  context: StateContext,
  thread: Thread,
  failure: AslFailure,
  chain?: Chain,
): void {
  if (!(failure instanceof EvaluationFailure)) return;
  const { error, reason, location } = failure;
  const details = {
    ...failureOf(error, reason),
    ...(location === undefined ? {} : { location }),
    state: evaluatingThread(thread).stateName,
  };
  context.emit(thread, 'EvaluationFailed', 'evaluationFailedEventDetails', details, chain);
}

/** A Parallel or Map says that it failed once no retry is left, unless it had said before that it succeeded. */
function tellStateFailed(context: StateContext, thread: Thread, { type }: State): void {
  if (type !== 'Parallel' && type !== 'Map') return;
  if (thread.staged.some((event) => event.type === `${type}StateSucceeded`)) return;
  context.emit(thread, `${type}StateFailed`);
}

/** What a state does with a failure: its first fitting Retry, then its first fitting Catch, then it fails the thread. */
export function* handleFailure(context: StateContext, thread: Thread, failure: AslFailure): Steps {
  const { state } = thread;
  const { error, reason: cause } = failure;
  if (tryRetry(context, thread, state, error)) return;
  tellStateFailed(context, thread, state);
  const catcher = state.catch.find(({ errorEquals }) => matchesError(errorEquals, error));
  if (!catcher) {
    context.failThread(thread, failureOf(error, cause));
    return;
  }
  // As the service: a name or cause that was not given is null for a catcher.
  const errorOutput = { Error: error ?? null, Cause: cause ?? null };
  try {
    yield* leaveState(
      context,
      thread,
      catcher,
      { input: thread.input.value, errorOutput },
      new Payload(errorOutput),
    );
    context.dropChildren(thread);
  } catch (thrown) {
    if (!(thrown instanceof AslFailure)) throw thrown;
    const inner = inState(context, thread, thrown);
    tellEvaluationFailed(context, thread, inner);
    context.failThread(thread, failureOf(inner.error, inner.reason));
  }
}
