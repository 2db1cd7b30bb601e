import type { LiveExecution, Thread } from '../threads/live-execution.ts';
import type { StateContext } from '../threads/state-context.ts';

/** Statuses an execution ends with. */
export type EndStatus = 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';

/** What the parts of the interpreter need of it beside what states need. */
export interface InterpreterContext extends StateContext {
  /** Sees to it that what changed is written in this turn of the event loop. */
  schedule(): void;
  /** Takes a thread out of what the journal keeps. */
  forgetThread(thread: Thread): void;
  /** Stops waiting for what a thread's Task has under way. */
  abortTask(thread: Thread): void;
  /** Ends an execution: last event, record, waiters, listeners. */
  endExecution(
    execution: LiveExecution,
    status: EndStatus,
    end: { output?: string; error?: string; cause?: string },
  ): void;
}
