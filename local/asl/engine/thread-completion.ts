import type { Failure } from '../model/failure.ts';
import type { Payload } from '../model/json.ts';
import { pumpIterations } from '../states/map.ts';
import type { Chain, Thread } from '../threads/live-execution.ts';
import type { InterpreterContext } from './interpreter-context.ts';

/** How threads end, and what that means for those around them. */
export class ThreadCompletion {
  readonly #context: InterpreterContext;

  constructor(context: InterpreterContext) {
    this.#context = context;
  }

  /** Drops a thread's children and all below them, ending those that are under way. */
  drop(thread: Thread): void {
    for (const child of thread.children.values()) {
      this.drop(child);
      if (child.status === 'active') this.abort(child);
      thread.execution.threads.delete(child.id);
      this.#context.forgetThread(child);
    }
    thread.children.clear();
    thread.finished = 0;
  }

  /** Ends a thread that its surroundings do not need any more; the events that say so follow the one that was the reason. */
  abort(thread: Thread, after = thread.last): void {
    const chain = { after, aside: true };
    thread.status = 'aborted';
    thread.staged = [];
    this.#context.abortTask(thread);
    this.#notifyMap(thread, 'MapIterationAborted', chain);
    const abortable =
      thread.phase !== 'select' &&
      thread.phase !== 'enter' &&
      ['Task', 'Wait', 'Parallel', 'Map'].includes(thread.state.type);
    if (abortable)
      this.#context.emit(thread, `${thread.state.type}StateAborted`, undefined, undefined, chain);
    this.#context.commitStep(thread);
    for (const child of thread.children.values()) if (child.status === 'active') this.abort(child, after);
  }

  /** An event of the inline Map about one of its iterations; nothing where the thread is none. */
  #notifyMap(thread: Thread, type: `MapIteration${string}`, chain?: Chain): boolean {
    if (thread.parent?.state.type !== 'Map') return false;
    const details = { name: thread.parent.stateName, index: thread.index };
    this.#context.emit(thread, type, `m${type.slice(1)}EventDetails`, details, chain);
    return true;
  }

  /** A thread reached its end: the execution succeeded, or its parent has one child less to wait for. */
  finish(thread: Thread, output: Payload): void {
    const { parent, execution } = thread;
    thread.output = output;
    thread.status = 'done';
    if (!parent) {
      this.#context.emit(thread, 'ExecutionSucceeded', 'executionSucceededEventDetails', {
        output: output.text,
        outputDetails: { truncated: false },
      });
      this.#context.commitStep(thread);
      this.#context.endExecution(execution, 'SUCCEEDED', { output: output.text });
      return;
    }
    const { state } = parent;
    this.#notifyMap(thread, 'MapIterationSucceeded');
    this.#context.commitStep(thread);
    parent.finished += 1;
    // As the service: the iteration that takes this one's place follows its last state, not its success.
    if (state.type === 'Map') pumpIterations(this.#context, parent, state, thread.lastEvent - 1);
    if (parent.finished < parent.expected) return;
    parent.lastEvent = thread.lastEvent;
    parent.phase = 'resume';
    this.#context.touch(parent);
    this.#context.enqueue(parent);
  }

  /** A thread failed: the execution failed, or its parent's state is notified, after the siblings were ended. */
  fail(thread: Thread, failure: Failure): void {
    const { parent, execution } = thread;
    thread.status = 'failed';
    thread.error = failure.error;
    thread.cause = failure.cause;
    this.#context.abortTask(thread);
    if (!parent) {
      this.#context.commitStep(thread);
      this.#context.endExecution(execution, 'FAILED', failure);
      return;
    }
    this.#context.commitStep(thread);
    // Everything that this failure brings about follows the failed thread's last event.
    const after = thread.last;
    const notified = this.#notifyMap(thread, 'MapIterationFailed', { aside: true });
    const entered = thread.phase !== 'select' && thread.state.type === 'Task';
    if (entered) this.#context.emit(thread, 'TaskStateAborted', undefined, undefined, { aside: true });
    if (notified || entered) this.#context.commitStep(thread);
    for (const sibling of parent.children.values())
      if (sibling.status === 'active') this.abort(sibling, after);
    parent.lastEvent = after;
    parent.outcome = { ok: false, ...failure };
    parent.phase = 'resume';
    this.#context.touch(parent);
    this.#context.enqueue(parent);
  }
}
