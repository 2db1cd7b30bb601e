import type { Core, Steps } from './core.ts';
import { AslFailure, failureOf } from './failure.ts';
import type { Thread } from './live.ts';
import { enterState, handleFailure, leaveState, tellEvaluationFailed } from './states/flow.ts';
import { finishMap, runMap, selectItem } from './states/map.ts';
import { finishParallel, runParallel } from './states/parallel.ts';
import { runChoice, runFail, runPass, runWait } from './states/simple.ts';
import { finishTask, runTask } from './states/task.ts';

function* begin(core: Core, thread: Thread): Steps {
  const { state } = thread;
  if (thread.phase === 'enter') enterState(core, thread, state);
  switch (state.type) {
    case 'Pass':
    case 'Succeed':
      return yield* runPass(core, thread, state);
    case 'Choice':
      return yield* runChoice(core, thread, state);
    case 'Task':
      return yield* runTask(core, thread, state);
    case 'Wait':
      return yield* runWait(core, thread, state);
    case 'Fail':
      return yield* runFail(core, thread, state);
    case 'Parallel':
      return yield* runParallel(core, thread, state);
    case 'Map':
      return yield* runMap(core, thread, state);
  }
}

function* resume(core: Core, thread: Thread): Steps {
  const { state } = thread;
  switch (state.type) {
    case 'Task':
      return yield* finishTask(core, thread, state);
    case 'Parallel':
      return yield* finishParallel(core, thread, state);
    case 'Map':
      return yield* finishMap(core, thread, state);
    default:
      return yield* leaveState(core, thread, state, { input: thread.input.value }, thread.input);
  }
}

/** One step of a thread, from where its phase says to where it waits, moves on or ends. */
export function* step(core: Core, thread: Thread): Steps {
  const { phase, last } = thread;
  try {
    if (thread.phase === 'select') yield* selectItem(core, thread);
    else if (thread.phase === 'resume') yield* resume(core, thread);
    else yield* begin(core, thread);
  } catch (error) {
    if (!(error instanceof AslFailure)) throw error;
    // As the service: what fails while a state is entered follows what the entering followed; a Wait is entered before.
    const entering = (phase === 'enter' || phase === 'again') && thread.state.type !== 'Wait';
    tellEvaluationFailed(core, thread, error, entering ? { after: last } : undefined);
    if (thread.phase === 'select') core.failThread(thread, failureOf(error.error, error.reason));
    else yield* handleFailure(core, thread, error);
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
