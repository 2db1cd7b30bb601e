import type { MapRunRecord } from '../model/records.ts';
import { waitUntil } from '../states/simple.ts';
import { isReady } from '../states/step.ts';
import type { LiveExecution, Thread } from '../threads/live-execution.ts';
import type { Interpreter } from './interpreter.ts';

/** Takes every thread of a live execution up again where the journal left it. */
export function resumeThreads(interpreter: Interpreter, execution: LiveExecution): void {
  for (const thread of execution.threads.values()) {
    if (thread.status !== 'active') continue;
    if (isReady(thread)) interpreter.enqueue(thread);
    else if (thread.phase === 'wait') waitUntil(interpreter, thread);
    else if (thread.phase === 'retry') rearmRetry(interpreter, thread);
    else if (thread.phase === 'task') resumeTask(interpreter, thread);
  }
}

function rearmRetry(interpreter: Interpreter, thread: Thread): void {
  const { until } = thread;
  thread.timers.pause = interpreter.at(until ?? interpreter.clock.now(), () => {
    if (thread.phase !== 'retry' || thread.until !== until || thread.status !== 'active') return;
    thread.phase = 'again';
    thread.until = undefined;
    interpreter.enqueue(thread);
  });
}

/** A call that was accepted waits for its token or child; one that was not is made again, with the same token. */
function resumeTask(interpreter: Interpreter, thread: Thread): void {
  const { task } = thread;
  if (!task || task.mapRunArn !== undefined) return;
  if (task.submitted) interpreter.calls.arm(thread);
  else interpreter.calls.start(thread);
}

/** Prepares the threads of an execution that ended without success to go on from where they failed; counters start anew. */
export function resetForRedrive(execution: LiveExecution): void {
  for (const thread of execution.threads.values()) {
    if (thread.status === 'done') continue;
    // Its Task had been answered when something else ended the execution: the answer was acknowledged, and stays.
    const answered = thread.status === 'aborted' && thread.phase === 'resume' && thread.outcome?.ok === true;
    thread.status = 'active';
    if (answered && thread.state.type === 'Task') continue;
    thread.error = undefined;
    thread.cause = undefined;
    thread.until = undefined;
    thread.outcome = undefined;
    thread.retries = [];
    thread.retryCount = 0;
    resetPhase(thread);
  }
}

function resetPhase(thread: Thread): void {
  const { phase, state, task } = thread;
  if (phase === 'select' || phase === 'enter') return;
  if (task?.mapRunArn !== undefined) {
    thread.phase = 'task';
    return;
  }
  const waitsForChildren = thread.children.size > 0 && (state.type === 'Parallel' || state.type === 'Map');
  if (waitsForChildren) {
    const allDone = thread.finished >= thread.expected;
    thread.phase = allDone ? 'resume' : 'children';
    return;
  }
  thread.task = undefined;
  thread.phase = 'again';
}

/** The thread that waits for a map run, if it is among the live ones. */
export function ownerOf(interpreter: Interpreter, run: MapRunRecord): Thread | undefined {
  return interpreter.live.get(run.execution)?.threads.get(run.thread);
}
