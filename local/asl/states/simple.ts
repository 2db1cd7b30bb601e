import { longestSeconds } from '../definition/bounds.ts';
import { parseInstant } from '../definition/instant.ts';
import type { ChoiceState, FailState, PassState, SucceedState, WaitState } from '../definition/machine.ts';
import type { Scope } from '../jsonata/expression.ts';
import { evaluateNumber, type Template, wrongType } from '../jsonata/template.ts';
import { AslFailure, EvaluationFailure, failureOf, statesErrors } from '../model/failure.ts';
import { Payload } from '../model/json.ts';
import type { Thread } from '../threads/live-execution.ts';
import { type StateContext, type Steps, scopeOf } from '../threads/state-context.ts';
import { leaveState } from './flow.ts';

/** Pass: output and variables only. */
export function* runPass(context: StateContext, thread: Thread, state: PassState | SucceedState): Steps {
  yield* leaveState(context, thread, state, { input: thread.input.value }, thread.input);
}

/** Choice: the first rule whose condition is true; a condition that is not a boolean fails. */
export function* runChoice(context: StateContext, thread: Thread, state: ChoiceState): Steps {
  const visible = { input: thread.input.value };
  const scope = scopeOf(context, thread, visible);
  for (const rule of state.choices) {
    const met = yield* rule.condition.evaluate(scope);
    if (typeof met !== 'boolean') throw wrongType(rule.condition, 'boolean', met);
    if (met) {
      yield* leaveState(context, thread, rule, visible, thread.input);
      return;
    }
  }
  if (state.default === undefined)
    throw new AslFailure(
      statesErrors.noChoice,
      `No rule of state "${state.name}" was met and it has no Default.`,
    );
  yield* leaveState(context, thread, { ...state, next: state.default }, visible, thread.input);
}

function* instantOf(timestamp: Template | undefined, scope: Scope): Steps<number> {
  const value = timestamp ? yield* timestamp.evaluate(scope) : null;
  const at = parseInstant(value);
  if (at !== undefined || !timestamp) return at ?? 0;
  if (typeof value !== 'string') throw wrongType(timestamp, 'string', value);
  // The service's words.
  throw new EvaluationFailure(
    `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${value}`,
    timestamp.location,
  );
}

/** Wait: until an instant, which survives a restart. */
export function* runWait(context: StateContext, thread: Thread, state: WaitState): Steps {
  const scope = scopeOf(context, thread, { input: thread.input.value });
  const until = state.seconds
    ? context.clock.now() +
      1000 * (yield* evaluateNumber(state.seconds, scope, { min: 0, max: longestSeconds }))
    : yield* instantOf(state.timestamp, scope);
  thread.phase = 'wait';
  thread.until = until;
  waitUntil(context, thread);
}

/** Arms (also again, after a restart) the end of a wait. */
export function waitUntil(context: StateContext, thread: Thread): void {
  const { until } = thread;
  if (until === undefined) return;
  thread.timers.pause = context.at(until, () => {
    if (thread.phase !== 'wait' || thread.until !== until || thread.status !== 'active') return;
    thread.phase = 'resume';
    thread.until = undefined;
    context.enqueue(thread);
  });
}

/** Fail: ends the thread with the state's own error; nothing retries or catches it here. */
export function* runFail(context: StateContext, thread: Thread, state: FailState): Steps {
  const error = yield* textOf(context, thread, state.error);
  const cause = yield* textOf(context, thread, state.cause);
  context.failThread(thread, failureOf(error, cause));
}

function* textOf(
  context: StateContext,
  thread: Thread,
  template: Template | undefined,
): Steps<string | undefined> {
  if (!template) return undefined;
  const value = yield* template.evaluate(scopeOf(context, thread, { input: thread.input.value }));
  if (typeof value === 'string') return value;
  throw wrongType(template, 'string', value);
}

/** The payload of a list of outputs, without parsing texts again. */
export function listOf(payloads: readonly Payload[]): Payload {
  return new Payload(payloads.map((payload) => payload.value));
}
