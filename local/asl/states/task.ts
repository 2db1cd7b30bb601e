import { type Core, checkSize, type Steps, scopeOf } from '../core.ts';
import { AslFailure, failureOf, statesErrors } from '../failure.ts';
import { type Json, Payload } from '../json.ts';
import { evaluateNumber, type Template } from '../jsonata/template.ts';
import type { Thread } from '../live.ts';
import type { TaskState } from '../machine.ts';
import { leaveState } from './flow.ts';

/** Longest a Task may take where nothing else is said, in seconds: the service's own default. */
const longestSeconds = 99_999_999;

/** `resourceType` and `resource` as the history names them. */
export function resourceOf(state: TaskState): { readonly resourceType: string; readonly resource: string } {
  const [resourceType = '', resource = ''] = state.resource.split(/:(.*)/s);
  return { resourceType, resource };
}

function* secondsOf(
  core: Core,
  thread: Thread,
  template: Template | undefined,
  field: string,
): Steps<number | undefined> {
  if (!template) return undefined;
  const scope = scopeOf(core, thread, { input: thread.input.value });
  return yield* evaluateNumber(template, scope, {
    field: `${field} of state "${thread.stateName}"`,
    min: 1,
    max: longestSeconds,
  });
}

function tokenFor(core: Core, thread: Thread, serial: number): string {
  return Buffer.from(`${thread.execution.record.key}.${thread.id}.${serial}.${core.ids.secret(32)}`).toString(
    'base64url',
  );
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
export function* runTask(core: Core, thread: Thread, state: TaskState): Steps {
  const serial = thread.execution.nextNumber();
  const token = state.waitForTaskToken ? tokenFor(core, thread, serial) : undefined;
  thread.task = {
    serial,
    submitted: false,
    arguments: '{}',
    timeoutAt: 0,
    ...(token === undefined ? {} : { token }),
  };
  const scope = scopeOf(core, thread, { input: thread.input.value });
  const given: Json = state.arguments ? yield* state.arguments.evaluate(scope) : thread.input.value;
  const parameters = checkSize(core, new Payload(given), `arguments of state "${state.name}"`);
  const timeout = yield* secondsOf(core, thread, state.timeout, 'TimeoutSeconds');
  const heartbeat = yield* secondsOf(core, thread, state.heartbeat, 'HeartbeatSeconds');
  const now = core.clock.now();
  thread.task = {
    ...thread.task,
    arguments: parameters.text,
    timeoutAt: now + (timeout ?? longestSeconds) * 1000,
    ...(heartbeat === undefined
      ? {}
      : { heartbeatMs: heartbeat * 1000, heartbeatAt: now + heartbeat * 1000 }),
  };
  thread.phase = 'task';
  const resource = resourceOf(state);
  core.emit(thread, 'TaskScheduled', 'taskScheduledEventDetails', {
    ...resource,
    region: 'local',
    parameters: parameters.text,
    ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
    ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
  });
  core.emit(thread, 'TaskStarted', 'taskStartedEventDetails', resource);
  core.startTask(thread);
}

/** The end of a Task: its answer becomes the state's result, or its failure goes to Retry and Catch. */
export function* finishTask(core: Core, thread: Thread, state: TaskState): Steps {
  const { outcome } = thread;
  if (!outcome) throw new Error(`Task ${state.name} resumed without an outcome.`);
  const resource = resourceOf(state);
  if (!outcome.ok) {
    const type = outcome.timedOut ? 'TaskTimedOut' : 'TaskFailed';
    core.emit(thread, type, outcome.timedOut ? 'taskTimedOutEventDetails' : 'taskFailedEventDetails', {
      ...resource,
      ...failureOf(outcome.error, outcome.cause),
    });
    throw new AslFailure(outcome.error, outcome.cause);
  }
  const result = checkSize(core, Payload.parse(outcome.output), `result of state "${state.name}"`);
  core.emit(thread, 'TaskSucceeded', 'taskSucceededEventDetails', {
    ...resource,
    output: result.text,
    outputDetails: { truncated: false },
  });
  yield* leaveState(core, thread, state, { input: thread.input.value, result: result.value }, result);
}

/** The failure a timed-out Task is told. */
export function timeoutOutcome(kind: 'timeout' | 'heartbeat', name: string) {
  const error = kind === 'timeout' ? statesErrors.timeout : statesErrors.heartbeat;
  const cause =
    kind === 'timeout'
      ? `State "${name}" took longer than its TimeoutSeconds.`
      : `State "${name}" was sent no heartbeat within its HeartbeatSeconds.`;
  return { ok: false, error, cause, timedOut: true } as const;
}
