import type { TaskState } from '../definition/machine.ts';
import { AslFailure, statesErrors } from '../model/failure.ts';
import { failureOutcome } from '../model/failure-outcome.ts';
import { isObject, type Json, Payload } from '../model/json.ts';
import type { Mock, MockedResponse } from '../model/mock.ts';
import { functionNameOf, machineArn, machineNameOf } from '../model/names.ts';
import type { Outcome } from '../model/records.ts';
import { splitResource, timeoutOutcome } from '../states/task.ts';
import type { LiveExecution, Thread } from '../threads/live-execution.ts';
import type { InterpreterContext } from './interpreter-context.ts';

/** Starts child executions for `.sync` and fire-and-forget Tasks; given by the engine. */
export interface ChildStarter {
  start(request: {
    machine: string;
    name?: string;
    input: string;
    waiter?: { thread: Thread; serial: number };
  }): { arn: string; startDate: number };
  stop(arn: string, cause: string): void;
}

/** The calls that Tasks have under way. */
export class TaskCalls {
  readonly #context: InterpreterContext;
  readonly #mock: Mock | undefined;
  children: ChildStarter | undefined;

  constructor(context: InterpreterContext, mock: Mock | undefined) {
    this.#context = context;
    this.#mock = mock;
  }

  /** Arms deadlines and makes the call once its intent is on disk; also after a restart, for calls without an answer. */
  start(thread: Thread): void {
    const { task, state } = thread;
    if (!task || state.type !== 'Task') return;
    this.arm(thread);
    const mocked = this.#mock?.(state.name);
    if (mocked) {
      const { serial } = task;
      const outcome = mockedOutcome(mocked, thread);
      if (outcome) this.#context.afterCommit(() => this.#context.settle(thread, serial, outcome));
      // What would have been accepted first is said to have been, as in histories of the service.
      if (state.waitForTaskToken || state.integration === 'startExecution.sync')
        this.#tellSubmitted(thread, state, '{}');
      return;
    }
    if (state.integration === 'startExecution' || state.integration === 'startExecution.sync') {
      this.#startChild(thread, state, task.serial);
      return;
    }
    const { serial } = task;
    this.#context.afterCommit(() => this.#call(thread, state, serial));
  }

  /** Arms the Task's timeout and heartbeat. */
  arm(thread: Thread): void {
    const { task } = thread;
    if (!task) return;
    const { serial } = task;
    thread.timers.timeout = this.#context.at(task.timeoutAt, () =>
      this.#context.settle(thread, serial, timeoutOutcome('timeout', thread.stateName)),
    );
    this.#armHeartbeat(thread, serial);
  }

  #armHeartbeat(thread: Thread, serial: number): void {
    const due = thread.task?.heartbeatAt;
    if (due === undefined) return;
    thread.timers.heartbeat = this.#context.at(due, () => {
      const task = thread.task;
      if (task?.serial !== serial || thread.phase !== 'task' || task.heartbeatAt === undefined) return;
      if (task.heartbeatAt > this.#context.clock.now()) this.#armHeartbeat(thread, serial);
      else this.#context.settle(thread, serial, timeoutOutcome('heartbeat', thread.stateName));
    });
  }

  /** Stops waiting for a thread's call and notifies the called. */
  abort(thread: Thread): void {
    thread.disarm();
    thread.abort?.abort();
    thread.abort = undefined;
    const { task, state } = thread;
    if (task?.childArn && state.type === 'Task' && state.integration === 'startExecution.sync') {
      this.children?.stop(task.childArn, 'The parent execution stopped waiting.');
    }
    if (task?.mapRunArn) this.#context.mapRuns.abort(task.mapRunArn);
  }

  /** Aborts every call without recording anything: the process is going away. */
  abortAll(executions: readonly LiveExecution[]): void {
    for (const execution of executions)
      for (const thread of execution.threads.values()) thread.abort?.abort();
  }

  #call(thread: Thread, state: TaskState, serial: number): void {
    const { task } = thread;
    if (task?.serial !== serial || thread.phase !== 'task' || task.submitted) return;
    thread.abort = new AbortController();
    this.#invoke(thread, state, Payload.parse(task.arguments).value, thread.abort.signal).then(
      (result) => this.#answered(thread, state, serial, result),
      (error: unknown) => this.#context.settle(thread, serial, failureOutcome(error)),
    );
  }

  async #invoke(thread: Thread, state: TaskState, given: Json, signal: AbortSignal): Promise<Json> {
    const { integrations } = this.#context;
    const request = isObject(given) ? given : {};
    switch (state.integration) {
      case 'lambda': {
        const { record } = thread.execution;
        const payload = await integrations.invokeFunction({
          functionName: functionNameOf(String(request['FunctionName'] ?? '')),
          payload: request['Payload'] ?? {},
          executionArn: record.arn,
          ...(record.traceId === undefined ? {} : { traceId: record.traceId }),
          signal,
        });
        return { ExecutedVersion: '$LATEST', Payload: asJson(payload), StatusCode: 200 };
      }
      case 'putEvents':
        return checkedEntries(await integrations.putEvents(entriesOf(request['Entries'], thread)));
      case 'snsPublish':
        return asJson(await integrations.snsPublish(request));
      default:
        return asJson(await integrations.sqsSendMessage(request));
    }
  }

  #answered(thread: Thread, state: TaskState, serial: number, result: Json): void {
    const { task } = thread;
    if (!state.waitForTaskToken) {
      this.#context.settle(thread, serial, { ok: true, output: JSON.stringify(result) });
      return;
    }
    if (task?.serial !== serial || thread.phase !== 'task' || thread.status !== 'active') return;
    task.submitted = true;
    this.#tellSubmitted(thread, state, JSON.stringify(result));
    this.#context.commitStep(thread);
    this.#context.schedule();
  }

  #tellSubmitted(thread: Thread, state: TaskState, output: string): void {
    this.#context.emit(thread, 'TaskSubmitted', 'taskSubmittedEventDetails', {
      ...splitResource(state),
      output,
      outputDetails: { truncated: false },
    });
  }

  #startChild(thread: Thread, state: TaskState, serial: number): void {
    const { task } = thread;
    if (!task || task.childArn !== undefined) return;
    const sync = state.integration === 'startExecution.sync';
    try {
      const request = Payload.parse(task.arguments).value;
      const child = this.#child(isObject(request) ? request : {}, sync ? { thread, serial } : undefined);
      const output = { ExecutionArn: child.arn, StartDate: child.startDate };
      if (!sync) {
        this.#context.settle(thread, serial, { ok: true, output: JSON.stringify(output) });
        return;
      }
      task.childArn = child.arn;
      task.submitted = true;
      this.#tellSubmitted(thread, state, JSON.stringify(output));
    } catch (error) {
      this.#context.settle(thread, serial, startFailure(error));
    }
  }

  #child(request: { readonly [key: string]: Json }, waiter: { thread: Thread; serial: number } | undefined) {
    const { StateMachineArn: machine, Name: name, Input: input } = request;
    if (typeof machine !== 'string' || !this.children)
      throw new AslFailure(statesErrors.taskFailed, 'No StateMachineArn was given.');
    return this.children.start({
      machine: machineNameOf(machine),
      ...(typeof name === 'string' ? { name } : {}),
      input: inputText(input),
      ...(waiter ? { waiter } : {}),
    });
  }
}

/** Entries with what the service adds: the machine and the execution they come from. */
function entriesOf(given: Json | undefined, { execution: { record } }: Thread): Json[] {
  const sources = [machineArn(record.machine), record.arn];
  return (Array.isArray(given) ? (given as readonly Json[]) : []).map((entry) => {
    if (!isObject(entry)) return entry;
    const { Resources: own } = entry;
    return { ...entry, Resources: [...(Array.isArray(own) ? (own as readonly Json[]) : []), ...sources] };
  });
}

/** As on the service an entry that was refused fails the Task, with all answers as its cause. */
function checkedEntries(result: unknown): Json {
  const answer = asJson(result);
  const failed = isObject(answer) ? answer['FailedEntryCount'] : 0;
  if (typeof failed === 'number' && failed > 0)
    throw new AslFailure('EventBridge.FailedEntry', JSON.stringify(answer));
  return answer;
}

/** StartExecution takes text; a value that is text already has to be JSON, as for the service. */
function inputText(input: Json | undefined): string {
  if (typeof input !== 'string') return JSON.stringify(input ?? {});
  try {
    JSON.parse(input);
    return input;
  } catch (error) {
    throw new AslFailure(
      'StepFunctions.InvalidExecutionInputException',
      `Input is text that is no JSON: ${(error as Error).message}`,
    );
  }
}

/** What a mock answers; nothing where the Task's own deadline is waited for. */
function mockedOutcome(mocked: MockedResponse, { state, task, stateName }: Thread): Outcome | undefined {
  if ('TimeOut' in mocked) {
    const deadline =
      mocked.TimeOut === 'timeout' ? state.type === 'Task' && state.timeout : task?.heartbeatAt;
    return deadline ? undefined : timeoutOutcome(mocked.TimeOut, stateName);
  }
  if ('Return' in mocked) return { ok: true, output: JSON.stringify(mocked.Return) };
  return { ok: false, error: mocked.Throw.Error, cause: mocked.Throw.Cause };
}

function asJson(value: unknown): Json {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Json);
}

/** Errors of StartExecution by the names the service gives them inside a machine. */
const startErrors: Readonly<Record<string, string>> = {
  EXECUTION_ALREADY_EXISTS: 'StepFunctions.ExecutionAlreadyExistsException',
  MACHINE_NOT_FOUND: 'StepFunctions.StateMachineDoesNotExistException',
  RUN_NAME_INVALID: 'StepFunctions.InvalidNameException',
};

function startFailure(error: unknown): Outcome {
  const code = (error as { code?: unknown } | null)?.code;
  const name = typeof code === 'string' ? startErrors[code] : undefined;
  return name ? { ok: false, error: name, cause: (error as Error).message } : failureOutcome(error);
}
