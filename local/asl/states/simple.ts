import { type Core, type Steps, scopeOf } from '../core.ts';
import { AslFailure, statesErrors } from '../failure.ts';
import { Payload } from '../json.ts';
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

function instantOf(value: unknown, name: string): number {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new AslFailure(
    statesErrors.query,
    `Timestamp of state "${name}" is ${JSON.stringify(value)}, not an ISO 8601 instant.`,
  );
}

/** Wait: until an instant, which survives a restart. */
export function* runWait(core: Core, thread: Thread, state: WaitState): Steps {
  const scope = scopeOf(core, thread, { input: thread.input.value });
  const seconds = state.seconds ? yield* state.seconds.evaluate(scope) : undefined;
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds >= 0 && seconds <= 99_999_999)) {
    throw new AslFailure(
      statesErrors.query,
      `Seconds of state "${state.name}" is ${JSON.stringify(seconds)}, not a number from 0 to 99,999,999.`,
    );
  }
  const until =
    typeof seconds === 'number'
      ? core.clock.now() + seconds * 1000
      : instantOf(state.timestamp && (yield* state.timestamp.evaluate(scope)), state.name);
  thread.phase = 'wait';
  thread.until = until;
  waitUntil(core, thread);
}

/** Arms (also again, after a restart) the end of a wait. */
export function waitUntil(core: Core, thread: Thread): void {
  const { until } = thread;
  if (until === undefined) return;
  core.at(until, () => {
    if (thread.phase !== 'wait' || thread.until !== until || thread.status !== 'active') return;
    thread.phase = 'resume';
    thread.until = undefined;
    core.enqueue(thread);
  });
}

/** Fail: ends the thread with the state's own error; nothing retries or catches it here. */
export function* runFail(core: Core, thread: Thread, state: FailState): Steps {
  const scope = scopeOf(core, thread, { input: thread.input.value });
  const error = state.error ? yield* state.error.evaluate(scope) : 'States.Failed';
  const cause = state.cause ? yield* state.cause.evaluate(scope) : '';
  core.failThread(thread, String(error), String(cause));
}

/** The payload of a list of outputs, without parsing texts again. */
export function listOf(payloads: readonly Payload[]): Payload {
  return new Payload(payloads.map((payload) => payload.value));
}
