import type { ParallelState } from '../definition/machine.ts';
import { AslFailure } from '../model/failure.ts';
import { Payload } from '../model/json.ts';
import { inherited, Thread } from '../threads/live-execution.ts';
import { type StateContext, type Steps, scopeOf } from '../threads/state-context.ts';
import { leaveState } from './flow.ts';
import { listOf } from './simple.ts';

/** Parallel: one thread a branch, all with the same input. */
export function* runParallel(context: StateContext, thread: Thread, state: ParallelState): Steps {
  const given = state.arguments
    ? new Payload(yield* state.arguments.evaluate(scopeOf(context, thread, { input: thread.input.value })))
    : thread.input;
  context.emit(thread, 'ParallelStateStarted');
  thread.phase = 'children';
  thread.expected = state.branches.length;
  thread.finished = 0;
  state.branches.forEach((block, index) => {
    context.enqueue(
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
export function* finishParallel(context: StateContext, thread: Thread, state: ParallelState): Steps {
  const { outcome } = thread;
  if (outcome && !outcome.ok) throw new AslFailure(outcome.error, outcome.cause);
  context.emit(thread, 'ParallelStateSucceeded', undefined, undefined, { aside: true });
  const result = listOf(
    state.branches.map((_, index) => thread.children.get(index)?.output ?? new Payload(null)),
  );
  yield* leaveState(context, thread, state, { input: thread.input.value, result: result.value }, result);
  context.dropChildren(thread);
}
