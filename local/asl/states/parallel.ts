import { type Core, type Steps, scopeOf } from '../core.ts';
import { AslFailure } from '../failure.ts';
import { Payload } from '../json.ts';
import { inherited, Thread } from '../live.ts';
import type { ParallelState } from '../machine.ts';
import { leaveState } from './flow.ts';
import { listOf } from './simple.ts';

/** Parallel: one thread a branch, all with the same input. */
export function* runParallel(core: Core, thread: Thread, state: ParallelState): Steps {
  const given = state.arguments
    ? new Payload(yield* state.arguments.evaluate(scopeOf(core, thread, { input: thread.input.value })))
    : thread.input;
  core.emit(thread, 'ParallelStateStarted');
  thread.phase = 'children';
  thread.expected = state.branches.length;
  thread.finished = 0;
  state.branches.forEach((block, index) => {
    core.enqueue(
      new Thread(thread.execution, {
        parent: thread,
        index,
        block,
        input: given,
        phase: 'enter',
        lastEvent: inherited,
      }),
    );
  });
}

/** The end of a Parallel: the branches' outputs in order, or the first failure. */
export function* finishParallel(core: Core, thread: Thread, state: ParallelState): Steps {
  const { outcome } = thread;
  if (outcome && !outcome.ok) throw new AslFailure(outcome.error, outcome.cause);
  core.emit(thread, 'ParallelStateSucceeded', undefined, undefined, { aside: true });
  const result = listOf(
    state.branches.map((_, index) => thread.children.get(index)?.output ?? new Payload(null)),
  );
  yield* leaveState(core, thread, state, { input: thread.input.value, result: result.value }, result);
  core.dropChildren(thread);
}
