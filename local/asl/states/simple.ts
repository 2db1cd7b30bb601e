import { type Core, type Steps, scopeOf } from '../core.ts';
import { AslFailure, failureOf, statesErrors } from '../failure.ts';
import { type Json, Payload } from '../json.ts';
import { evaluateNumber, type Template } from '../jsonata/template.ts';
import type { Thread } from '../live.ts';
import type { ChoiceState, FailState, PassState, SucceedState, WaitState } from '../machine.ts';
import { leaveState } from './flow.ts';

/** Pass: output and variables only. */
export function* runPass(core: Core, thread: Thread, state: PassState | SucceedState): Steps {
  yield* leaveState(core, thread, state, { input: thread.input.value }, thread.input);
}

/** Choice: the first rule whose condition is true; a condition that is not a boolean fails. */
export function* runChoice(core: Core, thread: Thread, state: ChoiceState): Steps {
  const visible = { input: thread.input.value };
  const scope = scopeOf(core, thread, visible);
  for (const rule of state.choices) {
    const met = yield* rule.condition.evaluate(scope);
    if (typeof met !== 'boolean') {
      throw new AslFailure(
        statesErrors.query,
        `A Condition of state "${state.name}" gave ${JSON.stringify(met)}, not a boolean.`,
        rule.condition.location,
      );
    }
    if (met) {
      yield* leaveState(core, thread, rule, visible, thread.input);
      return;
    }
  }
  if (state.default === undefined)
    throw new AslFailure(
      statesErrors.noChoice,
      `No rule of state "${state.name}" was met and it has no Default.`,
    );
  yield* leaveState(core, thread, { ...state, next: state.default }, visible, thread.input);
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since the Unix epoch of an ISO 8601 instant with a time zone, the only form a Wait takes. */
export function parseInstant(value: unknown): number | undefined {
  const at = typeof value === 'string' && instant.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** Longest Wait, in seconds, as the service has it. */
export const longestWait = 99_999_999;

function instantOf(value: unknown, name: string): number {
  const at = parseInstant(value);
  if (at !== undefined) return at;
  throw new AslFailure(
    statesErrors.query,
    `Timestamp of state "${name}" is ${JSON.stringify(value)}, not an ISO 8601 instant.`,
    'Timestamp',
  );
}

/** Wait: until an instant, which survives a restart. */
export function* runWait(core: Core, thread: Thread, state: WaitState): Steps {
  const scope = scopeOf(core, thread, { input: thread.input.value });
  const field = `Seconds of state "${state.name}"`;
  const until = state.seconds
    ? core.clock.now() +
      1000 * (yield* evaluateNumber(state.seconds, scope, { field, min: 0, max: longestWait }))
    : instantOf(state.timestamp && (yield* state.timestamp.evaluate(scope)), state.name);
  thread.phase = 'wait';
  thread.until = until;
  waitUntil(core, thread);
}

/** Arms (also again, after a restart) the end of a wait. */
export function waitUntil(core: Core, thread: Thread): void {
  const { until } = thread;
  if (until === undefined) return;
  thread.timers.pause = core.at(until, () => {
    if (thread.phase !== 'wait' || thread.until !== until || thread.status !== 'active') return;
    thread.phase = 'resume';
    thread.until = undefined;
    core.enqueue(thread);
  });
}

/** Fail: ends the thread with the state's own error; nothing retries or catches it here. */
export function* runFail(core: Core, thread: Thread, state: FailState): Steps {
  const error = yield* textOf(core, thread, state.error, 'Error');
  const cause = yield* textOf(core, thread, state.cause, 'Cause');
  core.failThread(thread, failureOf(error, cause));
}

function* textOf(
  core: Core,
  thread: Thread,
  template: Template | undefined,
  field: string,
): Steps<string | undefined> {
  if (!template) return undefined;
  const value: Json = yield* template.evaluate(scopeOf(core, thread, { input: thread.input.value }));
  if (typeof value === 'string') return value;
  throw new AslFailure(
    statesErrors.query,
    `${field} of state "${thread.stateName}" is ${JSON.stringify(value)}, not a text.`,
    field,
  );
}

/** The payload of a list of outputs, without parsing texts again. */
export function listOf(payloads: readonly Payload[]): Payload {
  return new Payload(payloads.map((payload) => payload.value));
}
