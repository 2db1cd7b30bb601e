import { widestConcurrency } from '../definition/bounds.ts';
import type { MapState } from '../definition/machine.ts';
import { evaluationLimits } from '../jsonata/limits.ts';
import { evaluateNumber, wrongType } from '../jsonata/template.ts';
import { finishMapRun, startDistributed } from '../map/distributed-map.ts';
import { AslFailure, EvaluationFailure, failureOf, statesErrors } from '../model/failure.ts';
import { type Json, Payload } from '../model/json.ts';
import { exceeds, textWeights } from '../model/measure.ts';
import { Thread } from '../threads/live-execution.ts';
import { checkSize, type StateContext, type Steps, scopeOf } from '../threads/state-context.ts';
import { leaveState } from './flow.ts';
import { listOf } from './simple.ts';

function asItems(value: Json, state: MapState): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  // As the service: only what Items gives may be an object, the input may not.
  if (!state.items)
    throw new EvaluationFailure(`Map state input must be an array but was: ${JSON.stringify(value)}`);
  // As the service: an inline Map takes lists only.
  if (state.distributed && typeof value === 'object' && value !== null)
    return Object.entries(value).map(([Key, Value]) => ({ Key, Value: Value as Json }));
  throw wrongType(state.items, 'array', value);
}

/** Map: an inline one runs its iterations as threads, a distributed one as executions of their own. */
export function* runMap(context: StateContext, thread: Thread, state: MapState): Steps {
  const scope = scopeOf(context, thread, { input: thread.input.value });
  const rule = { min: 0, max: widestConcurrency };
  const concurrency = state.maxConcurrency ? yield* evaluateNumber(state.maxConcurrency, scope, rule) : 0;
  const given = state.items ? yield* state.items.evaluate(scope) : thread.input.value;
  if (exceeds(given, evaluationLimits.valueBytes, textWeights))
    throw new AslFailure(statesErrors.tooLarge, `The Items of state "${state.name}" have too many bytes.`);
  if (state.distributed) {
    yield* startDistributed(context, thread, state, {
      concurrency,
      ...(state.itemReader ? {} : { items: asItems(given, state) }),
    });
    return;
  }
  const items = asItems(given, state);
  context.emit(thread, 'MapStateStarted', 'mapStateStartedEventDetails', { length: items.length });
  const widest = context.limits.inlineIterations;
  thread.width = concurrency === 0 ? widest : Math.min(concurrency, widest);
  thread.items = new Payload(items);
  thread.expected = items.length;
  thread.finished = 0;
  thread.phase = 'children';
  // The iterations' events follow the Map's, which therefore get their numbers first.
  context.commitStep(thread);
  if (items.length === 0) {
    thread.phase = 'resume';
    context.enqueue(thread);
  } else pumpIterations(context, thread, state, thread.lastEvent);
}

/** Starts iterations up to the Map's width, after an event of the history. The next index follows from the children there are. */
export function pumpIterations(
  context: StateContext,
  thread: Thread,
  state: MapState,
  lastEvent: number,
): void {
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
    context.emit(child, 'MapIterationStarted', 'mapIterationStartedEventDetails', {
      name: state.name,
      index,
    });
    context.commitStep(child);
    context.enqueue(child);
  }
}

/** First step of an iteration with an ItemSelector: its input is made from the Map's input and the item. */
export function* selectItem(context: StateContext, thread: Thread): Steps {
  const { parent } = thread;
  const selector = parent?.state.type === 'Map' ? parent.state.itemSelector : undefined;
  if (parent && selector) {
    const selected = yield* selector.evaluate(scopeOf(context, thread, { input: parent.input.value }));
    thread.input = checkSize(
      context,
      new Payload(selected),
      `input of iteration ${thread.index} of state "${parent.stateName}"`,
    );
  }
  thread.phase = 'enter';
}

/** The end of a Map: its results, written away where the state says so, or its failure. */
export function* finishMap(context: StateContext, thread: Thread, state: MapState): Steps {
  const { outcome } = thread;
  if (!state.distributed && outcome && !outcome.ok) throw new AslFailure(outcome.error, outcome.cause);
  const result = state.distributed ? yield* finishDistributed(context, thread, state) : outputsOf(thread);
  context.emit(thread, 'MapStateSucceeded', undefined, undefined, { after: 'latest', aside: true });
  yield* leaveState(context, thread, state, { input: thread.input.value, result: result.value }, result);
  // Kept until the state is left: what fails on leaving is redriven without running them again.
  context.dropChildren(thread);
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
function* finishDistributed(context: StateContext, thread: Thread, state: MapState): Steps<Payload> {
  try {
    const result = yield* finishMapRun(context, thread, state);
    // As the service: leaving the Map follows the start of its run.
    context.emit(thread, 'MapRunSucceeded', undefined, undefined, { aside: true });
    return result;
  } catch (error) {
    if (error instanceof AslFailure && !(error instanceof EvaluationFailure))
      context.emit(thread, 'MapRunFailed', 'mapRunFailedEventDetails', {
        ...failureOf(error.error, error.reason),
      });
    throw error;
  }
}
