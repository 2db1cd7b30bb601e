import { AslFailure, failureOf } from '../model/failure.ts';
import type { Thread } from '../threads/live-execution.ts';
import type { StateContext, Steps } from '../threads/state-context.ts';
import { enterState, handleFailure, inState, leaveState, tellEvaluationFailed } from './flow.ts';
import { finishMap, runMap, selectItem } from './map.ts';
import { finishParallel, runParallel } from './parallel.ts';
import { runChoice, runFail, runPass, runWait } from './simple.ts';
import { finishTask, runTask } from './task.ts';

function* begin(context: StateContext, thread: Thread): Steps {
  const { state } = thread;
  if (thread.phase === 'enter') enterState(context, thread, state);
  switch (state.type) {
    case 'Pass':
    case 'Succeed':
      return yield* runPass(context, thread, state);
    case 'Choice':
      return yield* runChoice(context, thread, state);
    case 'Task':
      return yield* runTask(context, thread, state);
    case 'Wait':
      return yield* runWait(context, thread, state);
    case 'Fail':
      return yield* runFail(context, thread, state);
    case 'Parallel':
      return yield* runParallel(context, thread, state);
    case 'Map':
      return yield* runMap(context, thread, state);
  }
}

function* resume(context: StateContext, thread: Thread): Steps {
  const { state } = thread;
  switch (state.type) {
    case 'Task':
      return yield* finishTask(context, thread, state);
    case 'Parallel':
      return yield* finishParallel(context, thread, state);
    case 'Map':
      return yield* finishMap(context, thread, state);
    default:
      return yield* leaveState(context, thread, state, { input: thread.input.value }, thread.input);
  }
}

/** One step of a thread, from where its phase says to where it waits, moves on or ends. */
export function* step(context: StateContext, thread: Thread): Steps {
  const { phase, last } = thread;
  try {
    if (thread.phase === 'select') yield* selectItem(context, thread);
    else if (thread.phase === 'resume') yield* resume(context, thread);
    else yield* begin(context, thread);
  } catch (thrown) {
    if (!(thrown instanceof AslFailure)) throw thrown;
    const error = inState(context, thread, thrown);
    // As the service: what fails while a state is entered follows what the entering followed; a Wait is entered before.
    const entering = (phase === 'enter' || phase === 'again') && thread.state.type !== 'Wait';
    tellEvaluationFailed(context, thread, error, entering ? { after: last } : undefined);
    if (thread.phase === 'select') context.failThread(thread, failureOf(error.error, error.reason));
    else yield* handleFailure(context, thread, error);
  }
}

/** Whether a thread has a step to take now. */
export function isReady(thread: Thread): boolean {
  const { phase } = thread;
  return (
    thread.status === 'active' &&
    (phase === 'select' || phase === 'enter' || phase === 'again' || phase === 'resume')
  );
}
