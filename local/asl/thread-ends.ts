import type { EngineCore } from './engine-core.ts';
import type { Payload } from './json.ts';
import type { Thread } from './live.ts';
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

  /** Ends a thread that its surroundings do not need any more. */
  abort(thread: Thread): void {
    for (const child of thread.children.values()) if (child.status === 'active') this.abort(child);
    thread.status = 'aborted';
    thread.staged = [];
    this.#core.calls.abort(thread);
    const abortable =
      thread.phase !== 'select' &&
      thread.phase !== 'enter' &&
      ['Task', 'Wait', 'Parallel', 'Map'].includes(thread.state.type);
    if (abortable) this.#core.emit(thread, `${thread.state.type}StateAborted`);
    if (thread.parent?.state.type === 'Map') {
      this.#core.emit(thread, 'MapIterationAborted', 'mapIterationAbortedEventDetails', {
        name: thread.parent.stateName,
        index: thread.index,
      });
    }
    this.#core.commitStep(thread);
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
    if (state.type === 'Map') {
      this.#core.emit(thread, 'MapIterationSucceeded', 'mapIterationSucceededEventDetails', {
        name: state.name,
        index: thread.index,
      });
    }
    this.#core.commitStep(thread);
    parent.finished += 1;
    if (state.type === 'Map') {
      pumpIterations(this.#core, parent, state);
      this.#core.commitStep(parent);
    }
    if (parent.finished < parent.expected) return;
    parent.phase = 'resume';
    this.#core.touch(parent);
    this.#core.enqueue(parent);
  }

  /** A thread failed: the execution failed, or its parent's state is told, after the siblings were ended. */
  fail(thread: Thread, error: string, cause: string): void {
    const { parent, execution } = thread;
    thread.status = 'failed';
    thread.error = error;
    thread.cause = cause;
    this.#core.calls.abort(thread);
    if (!parent) {
      this.#core.commitStep(thread);
      this.#core.endExecution(execution, 'FAILED', { error, cause });
      return;
    }
    if (parent.state.type === 'Map') {
      this.#core.emit(thread, 'MapIterationFailed', 'mapIterationFailedEventDetails', {
        name: parent.stateName,
        index: thread.index,
      });
    }
    this.#core.commitStep(thread);
    for (const sibling of parent.children.values()) if (sibling.status === 'active') this.abort(sibling);
    parent.outcome = { ok: false, error, cause };
    parent.phase = 'resume';
    this.#core.touch(parent);
    this.#core.enqueue(parent);
  }
}
