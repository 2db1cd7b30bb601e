import { failureOf } from '../model/failure.ts';
import type { LiveExecution, Thread } from '../threads/live-execution.ts';
import type { GroupWriter } from './group-writer.ts';
import type { EndStatus, InterpreterContext } from './interpreter-context.ts';

const endEvents = {
  FAILED: ['ExecutionFailed', 'executionFailedEventDetails'],
  ABORTED: ['ExecutionAborted', 'executionAbortedEventDetails'],
  TIMED_OUT: ['ExecutionTimedOut', 'executionTimedOutEventDetails'],
} as const;

/** Stops what a thread has under way, keeping where it was for a redrive. */
function stopThread(context: InterpreterContext, thread: Thread): void {
  thread.staged = [];
  context.abortTask(thread);
  thread.status = 'aborted';
}

/** Records how an execution ended: its last event, its record, and its threads where a redrive may go on from them. */
export function recordEnd(
  { context, writer }: { readonly context: InterpreterContext; readonly writer: GroupWriter },
  execution: LiveExecution,
  status: EndStatus,
  end: { output?: string; error?: string; cause?: string },
): void {
  const { record, threads, timeout } = execution;
  record.status = status;
  record.stopDate = context.clock.now();
  Object.assign(record, end);
  if (status === 'SUCCEEDED') writer.endThreads(execution);
  else {
    for (const thread of threads.values()) if (thread.status === 'active') stopThread(context, thread);
    const root = [...threads.values()].find((thread) => !thread.parent);
    if (root) {
      const [type, name] = endEvents[status];
      // What ends an execution from outside follows no event of it.
      const chain = status === 'FAILED' ? undefined : { after: 0 };
      context.emit(root, type, name, { ...failureOf(end.error, end.cause) }, chain);
      context.commitStep(root);
    }
    writer.keepThreads(execution);
  }
  timeout?.cancel();
  writer.execution(execution);
}
