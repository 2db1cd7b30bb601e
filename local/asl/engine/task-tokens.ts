import { type Failure, failureOf } from '../model/failure.ts';
import { tokenParts } from '../states/task.ts';
import type { Thread } from '../threads/live-execution.ts';
import type { Interpreter } from './interpreter.ts';

/** Longest token anybody may send, as on the service. */
const longestToken = 2_048;

/** Error of a callback whose token is no longer waited for, by the service's name. */
class TaskTimedOut extends Error {
  override readonly name = 'TaskTimedOut';
}

/** Error of a callback with something that is no token. */
class InvalidToken extends Error {
  override readonly name = 'InvalidToken';
}

/** Takes the answers of tasks that wait for their token; throws `TaskTimedOut` or `InvalidToken` by name. */
export class TaskTokens {
  readonly #interpreter: Interpreter;

  constructor(interpreter: Interpreter) {
    this.#interpreter = interpreter;
  }

  #waiting(token: string): { readonly thread: Thread; readonly serial: number } {
    const parts = token.length <= longestToken ? tokenParts(token) : undefined;
    if (!parts) throw new InvalidToken('The task token is not one of this engine.');
    const thread = this.#interpreter.live.get(parts.execution)?.threads.get(parts.thread);
    if (thread?.task?.token !== token || thread.phase !== 'task' || thread.status !== 'active') {
      throw new TaskTimedOut('The task of this token is not waited for any more.');
    }
    return { thread, serial: parts.serial };
  }

  succeed(token: string, output: unknown): void {
    const { thread, serial } = this.#waiting(token);
    this.#interpreter.settle(thread, serial, { ok: true, output: JSON.stringify(output ?? null) });
  }

  fail(token: string, { error, cause }: Failure): void {
    const { thread, serial } = this.#waiting(token);
    this.#interpreter.settle(thread, serial, { ok: false, ...failureOf(error, cause) });
  }

  heartbeat(token: string): void {
    const { thread } = this.#waiting(token);
    const { task } = thread;
    if (task?.heartbeatMs === undefined) return;
    task.heartbeatAt = this.#interpreter.clock.now() + task.heartbeatMs;
    this.#interpreter.touch(thread);
  }
}
