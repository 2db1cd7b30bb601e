import type { EngineCore } from './engine-core.ts';
import type { Failure } from './failure.ts';
import type { Payload } from './json.ts';
import type { Chain, Thread } from './live.ts';
import { pumpIterations } from './states/map.ts';

/** How threads end, and what that means for those around them. */
export class ThreadEnds {
  readonly #core: EngineCore;

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /** Drops a thread's children and all below them, ending those that are under way. */
  drop(thread: Thread): void {
    for (const child of thread.children.values()) {
      this.drop(child);
      if (child.status === 'active') this.abort(child);
      thread.execution.threads.delete(child.id);
      this.#core.writer.removeThread(child);
    }
    thread.children.clear();
    thread.finished = 0;
  }

  /** Ends a thread that its surroundings do not need any more; the events that say so follow the one that was the reason. */
  abort(thread: Thread, after = thread.last): void {
    const chain = { after, aside: true };
    thread.status = 'aborted';
    thread.staged = [];
    this.#core.calls.abort(thread);
    this.#tellMap(thread, 'MapIterationAborted', chain);
    const abortable =
      thread.phase !== 'select' &&
      thread.phase !== 'enter' &&
      ['Task', 'Wait', 'Parallel', 'Map'].includes(thread.state.type);
    if (abortable) this.#core.emit(thread, `${thread.state.type}StateAborted`, undefined, undefined, chain);
    this.#core.commitStep(thread);
    for (const child of thread.children.values()) if (child.status === 'active') this.abort(child, after);
  }

  /** An event of the inline Map about one of its iterations; nothing where the thread is none. */
  #tellMap(thread: Thread, type: `MapIteration${string}`, chain?: Chain): boolean {
    if (thread.parent?.state.type !== 'Map') return false;
    const details = { name: thread.parent.stateName, index: thread.index };
    this.#core.emit(thread, type, `m${type.slice(1)}EventDetails`, details, chain);
    return true;
  }

  /** A thread reached its end: the execution succeeded, or its parent has one child less to wait for. */
  finish(thread: Thread, output: Payload): void {
    const { parent, execution } = thread;
    thread.output = output;
    thread.status = 'done';
    if (!parent) {
      this.#core.emit(thread, 'ExecutionSucceeded', 'executionSucceededEventDetails', {
        output: output.text,
        outputDetails: { truncated: false },
      });
      this.#core.commitStep(thread);
      this.#core.endExecution(execution, 'SUCCEEDED', { output: output.text });
      return;
    }
    const { state } = parent;
    this.#tellMap(thread, 'MapIterationSucceeded');
    this.#core.commitStep(thread);
    parent.finished += 1;
    // As the service: the iteration that takes this one's place follows its last state, not its success.
    if (state.type === 'Map') pumpIterations(this.#core, parent, state, thread.lastEvent - 1);
    if (parent.finished < parent.expected) return;
    parent.lastEvent = thread.lastEvent;
    parent.phase = 'resume';
    this.#core.touch(parent);
    this.#core.enqueue(parent);
  }

  /** A thread failed: the execution failed, or its parent's state is told, after the siblings were ended. */
  fail(thread: Thread, failure: Failure): void {
    const { parent, execution } = thread;
    thread.status = 'failed';
    thread.error = failure.error;
    thread.cause = failure.cause;
    this.#core.calls.abort(thread);
    if (!parent) {
      this.#core.commitStep(thread);
      this.#core.endExecution(execution, 'FAILED', failure);
      return;
    }
    this.#core.commitStep(thread);
    // Everything that this failure brings about follows the failed thread's last event.
    const after = thread.last;
    const told = this.#tellMap(thread, 'MapIterationFailed', { aside: true });
    const entered = thread.phase !== 'select' && thread.state.type === 'Task';
    if (entered) this.#core.emit(thread, 'TaskStateAborted', undefined, undefined, { aside: true });
    if (told || entered) this.#core.commitStep(thread);
    for (const sibling of parent.children.values())
      if (sibling.status === 'active') this.abort(sibling, after);
    parent.lastEvent = after;
    parent.outcome = { ok: false, ...failure };
    parent.phase = 'resume';
    this.#core.touch(parent);
    this.#core.enqueue(parent);
  }
}
