import { longestSeconds } from '../definition/bounds.ts';
import type { TaskState } from '../definition/machine.ts';
import { evaluateNumber, type Template } from '../jsonata/template.ts';
import { AslFailure, failureOf, statesErrors } from '../model/failure.ts';
import { type Json, Payload } from '../model/json.ts';
import type { Thread } from '../threads/live-execution.ts';
import { checkSize, type StateContext, type Steps, scopeOf } from '../threads/state-context.ts';
import { leaveState } from './flow.ts';

/** `resourceType` and `resource` as the history names them. */
export function splitResource(state: TaskState): {
  readonly resourceType: string;
  readonly resource: string;
} {
  const [resourceType = '', resource = ''] = state.resource.split(/:(.*)/s);
  return { resourceType, resource };
}

function* secondsOf(
  context: StateContext,
  thread: Thread,
  template: Template | undefined,
): Steps<number | undefined> {
  if (!template) return undefined;
  const scope = scopeOf(context, thread, { input: thread.input.value });
  return yield* evaluateNumber(template, scope, {
    min: 1,
    max: longestSeconds,
  });
}

function tokenFor(context: StateContext, thread: Thread, serial: number): string {
  return Buffer.from(
    `${thread.execution.record.key}.${thread.id}.${serial}.${context.ids.secret(32)}`,
  ).toString('base64url');
}

/** Parts of a token: which thread's which try it belongs to; undefined when it is no token of ours. */
export function tokenParts(
  token: string,
): { readonly execution: number; readonly thread: number; readonly serial: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\./.exec(Buffer.from(token, 'base64url').toString('utf8'));
  return match
    ? { execution: Number(match[1]), thread: Number(match[2]), serial: Number(match[3]) }
    : undefined;
}

/** Task: evaluates the arguments and hands the call to the engine, which makes it after the intent is on disk. */
export function* runTask(context: StateContext, thread: Thread, state: TaskState): Steps {
  const serial = thread.execution.nextNumber();
  const token = state.waitForTaskToken ? tokenFor(context, thread, serial) : undefined;
  thread.task = {
    serial,
    submitted: false,
    arguments: '{}',
    timeoutAt: 0,
    ...(token === undefined ? {} : { token }),
  };
  const scope = scopeOf(context, thread, { input: thread.input.value });
  const given: Json = state.arguments ? yield* state.arguments.evaluate(scope) : thread.input.value;
  const parameters = checkSize(context, new Payload(given), `arguments of state "${state.name}"`);
  const timeout = yield* secondsOf(context, thread, state.timeout);
  const heartbeat = yield* secondsOf(context, thread, state.heartbeat);
  const now = context.clock.now();
  thread.task = {
    ...thread.task,
    arguments: parameters.text,
    timeoutAt: now + (timeout ?? longestSeconds) * 1000,
    ...(heartbeat === undefined
      ? {}
      : { heartbeatMs: heartbeat * 1000, heartbeatAt: now + heartbeat * 1000 }),
  };
  thread.phase = 'task';
  const resource = splitResource(state);
  context.emit(thread, 'TaskScheduled', 'taskScheduledEventDetails', {
    ...resource,
    region: 'local',
    parameters: parameters.text,
    ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
    ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
  });
  context.emit(thread, 'TaskStarted', 'taskStartedEventDetails', resource);
  context.startTask(thread);
}

/** The end of a Task: its answer becomes the state's result, or its failure goes to Retry and Catch. */
export function* finishTask(context: StateContext, thread: Thread, state: TaskState): Steps {
  const { outcome } = thread;
  if (!outcome) throw new Error(`Task ${state.name} resumed without an outcome.`);
  const resource = splitResource(state);
  if (!outcome.ok) {
    const type = outcome.timedOut ? 'TaskTimedOut' : 'TaskFailed';
    context.emit(thread, type, outcome.timedOut ? 'taskTimedOutEventDetails' : 'taskFailedEventDetails', {
      ...resource,
      ...failureOf(outcome.error, outcome.cause),
    });
    throw new AslFailure(outcome.error, outcome.cause);
  }
  const result = checkSize(context, Payload.parse(outcome.output), `result of state "${state.name}"`);
  context.emit(thread, 'TaskSucceeded', 'taskSucceededEventDetails', {
    ...resource,
    output: result.text,
    outputDetails: { truncated: false },
  });
  yield* leaveState(context, thread, state, { input: thread.input.value, result: result.value }, result);
}

/** The failure that a timed-out Task ends with. */
export function timeoutOutcome(kind: 'timeout' | 'heartbeat', name: string) {
  const error = kind === 'timeout' ? statesErrors.timeout : statesErrors.heartbeat;
  const cause =
    kind === 'timeout'
      ? `State "${name}" took longer than its TimeoutSeconds.`
      : `State "${name}" was sent no heartbeat within its HeartbeatSeconds.`;
  return { ok: false, error, cause, timedOut: true } as const;
}
