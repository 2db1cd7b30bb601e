import { type Core, checkSize, type Steps, scopeOf } from '../core.ts';
import { AslFailure, failureOf, statesErrors } from '../failure.ts';
import { type Json, Payload } from '../json.ts';
import { evaluateNumber } from '../jsonata/template.ts';
import { Thread } from '../live.ts';
import type { MapState } from '../machine.ts';
import { resultOfRun, startDistributed } from './distributed-map.ts';
import { leaveState } from './flow.ts';
import { listOf } from './simple.ts';

function asItems(value: Json, state: MapState): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).map(([Key, Value]) => ({ Key, Value: Value as Json }));
  const what = state.items ? `Items of state "${state.name}"` : `The input of state "${state.name}"`;
  throw new AslFailure(
    statesErrors.query,
    `${what} is neither a list nor an object, but ${JSON.stringify(value)}.`,
    state.items?.location,
  );
}

/** Map: an inline one runs its iterations as threads, a distributed one as executions of their own. */
export function* runMap(core: Core, thread: Thread, state: MapState): Steps {
  const scope = scopeOf(core, thread, { input: thread.input.value });
  const rule = { field: 'MaxConcurrency', min: 0, max: 1_000_000 };
  const concurrency = state.maxConcurrency ? yield* evaluateNumber(state.maxConcurrency, scope, rule) : 0;
  const given = state.items ? yield* state.items.evaluate(scope) : thread.input.value;
  if (state.distributed) {
    yield* startDistributed(core, thread, state, {
      concurrency,
      ...(state.itemReader ? {} : { items: asItems(given, state) }),
    });
    return;
  }
  const items = asItems(given, state);
  core.emit(thread, 'MapStateStarted', 'mapStateStartedEventDetails', { length: items.length });
  const widest = core.limits.inlineIterations;
  thread.width = concurrency === 0 ? widest : Math.min(concurrency, widest);
  thread.items = new Payload(items);
  thread.expected = items.length;
  thread.finished = 0;
  thread.phase = 'children';
  // The iterations' events follow the Map's, which therefore get their numbers first.
  core.commitStep(thread);
  if (items.length === 0) {
    thread.phase = 'resume';
    core.enqueue(thread);
  } else pumpIterations(core, thread, state, thread.lastEvent);
}

/** Starts iterations up to the Map's width, after an event of the history. The next index follows from the children there are. */
export function pumpIterations(core: Core, thread: Thread, state: MapState, lastEvent: number): void {
  const items = (thread.items?.value ?? []) as readonly Json[];
  while (
    thread.children.size < items.length &&
    thread.children.size - thread.finished < (thread.width ?? 1)
  ) {
    const index = thread.children.size;
    const item = new Payload(items[index] ?? null);
    const child = new Thread(thread.execution, {
      parent: thread,
      index,
      block: state.processor,
      input: item,
      phase: state.itemSelector ? 'select' : 'enter',
      item,
      lastEvent,
    });
    core.emit(child, 'MapIterationStarted', 'mapIterationStartedEventDetails', { name: state.name, index });
    core.commitStep(child);
    core.enqueue(child);
  }
}

/** First step of an iteration with an ItemSelector: its input is made from the Map's input and the item. */
export function* selectItem(core: Core, thread: Thread): Steps {
  const { parent } = thread;
  const selector = parent?.state.type === 'Map' ? parent.state.itemSelector : undefined;
  if (parent && selector) {
    const selected = yield* selector.evaluate(scopeOf(core, thread, { input: parent.input.value }));
    thread.input = checkSize(
      core,
      new Payload(selected),
      `input of iteration ${thread.index} of state "${parent.stateName}"`,
    );
  }
  thread.phase = 'enter';
}

/** The end of a Map: its results, written away where the state says so, or its failure. */
export function* finishMap(core: Core, thread: Thread, state: MapState): Steps {
  const { outcome } = thread;
  if (!state.distributed && outcome && !outcome.ok) throw new AslFailure(outcome.error, outcome.cause);
  const result = state.distributed ? yield* endOfRun(core, thread, state) : outputsOf(thread);
  core.emit(thread, 'MapStateSucceeded', undefined, undefined, { after: 'latest', aside: true });
  yield* leaveState(core, thread, state, { input: thread.input.value, result: result.value }, result);
  // Kept until the state is left: what fails on leaving is redriven without running them again.
  core.dropChildren(thread);
}

function outputsOf(thread: Thread): Payload {
  return listOf(
    Array.from(
      { length: thread.expected },
      (_, index) => thread.children.get(index)?.output ?? new Payload(null),
    ),
  );
}

/** The end of a distributed Map's run: what it could not do, writing included, is the run's failure. */
function* endOfRun(core: Core, thread: Thread, state: MapState): Steps<Payload> {
  try {
    const result = yield* resultOfRun(core, thread, state);
    // As the service: leaving the Map follows the start of its run.
    core.emit(thread, 'MapRunSucceeded', undefined, undefined, { aside: true });
    return result;
  } catch (error) {
    if (error instanceof AslFailure && error.error !== statesErrors.query)
      core.emit(thread, 'MapRunFailed', 'mapRunFailedEventDetails', {
        ...failureOf(error.error, error.reason),
      });
    throw error;
  }
}
