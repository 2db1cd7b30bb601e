import { type Core, checkSize, type Steps, scopeOf } from '../core.ts';
import { AslFailure, statesErrors } from '../failure.ts';
import { type Json, Payload } from '../json.ts';
import { evaluateNumber, type Template } from '../jsonata/template.ts';
import { inherited, Thread } from '../live.ts';
import type { MapState } from '../machine.ts';
import { readItems, writeResults } from '../map-data.ts';
import { leaveState } from './flow.ts';
import { listOf } from './simple.ts';

function asItems(value: Json, name: string): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).map(([Key, Value]) => ({ Key, Value: Value as Json }));
  throw new AslFailure(statesErrors.query, `Items of state "${name}" is neither a list nor an object.`);
}

function* numberOf(
  core: Core,
  thread: Thread,
  template: Template | undefined,
  rule: { field: string; fallback: number; min: number; max: number },
): Steps<number> {
  if (!template) return rule.fallback;
  return yield* evaluateNumber(template, scopeOf(core, thread, { input: thread.input.value }), rule);
}

/** Map: an inline one runs its iterations as threads, a distributed one as executions of their own. */
export function* runMap(core: Core, thread: Thread, state: MapState): Steps {
  const scope = scopeOf(core, thread, { input: thread.input.value });
  const concurrency = yield* numberOf(core, thread, state.maxConcurrency, {
    field: 'MaxConcurrency',
    fallback: 0,
    min: 0,
    max: 1_000_000,
  });
  let items: readonly Json[];
  if (state.itemReader) items = yield* readItems(core, scope, state.itemReader, state.name);
  else items = asItems(state.items ? yield* state.items.evaluate(scope) : thread.input.value, state.name);
  core.emit(thread, 'MapStateStarted', 'mapStateStartedEventDetails', { length: items.length });
  if (state.distributed) {
    yield* startDistributed(core, thread, state, items, concurrency);
    return;
  }
  const widest = core.limits.inlineIterations;
  thread.width = concurrency === 0 ? widest : Math.min(concurrency, widest);
  thread.items = new Payload(items);
  thread.expected = items.length;
  thread.finished = 0;
  thread.phase = 'children';
  if (items.length === 0) {
    thread.phase = 'resume';
    core.enqueue(thread);
  } else pumpIterations(core, thread, state);
}

/** Starts iterations up to the Map's width. The next index follows from the children there are. */
export function pumpIterations(core: Core, thread: Thread, state: MapState): void {
  const items = (thread.items?.value ?? []) as readonly Json[];
  while (
    thread.children.size < items.length &&
    thread.children.size - thread.finished < (thread.width ?? 1)
  ) {
    const index = thread.children.size;
    const item = new Payload(items[index] ?? null);
    core.emit(thread, 'MapIterationStarted', 'mapIterationStartedEventDetails', { name: state.name, index });
    const child = new Thread(thread.execution, {
      parent: thread,
      index,
      block: state.processor,
      input: item,
      phase: state.itemSelector ? 'select' : 'enter',
      item,
      lastEvent: inherited,
    });
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

function* inputsOf(
  core: Core,
  thread: Thread,
  state: MapState,
  items: readonly Json[],
): Steps<readonly Json[]> {
  const selected: Json[] = [];
  for (const [index, value] of items.entries()) {
    const context = { Map: { Item: { Index: index, Value: value } } };
    selected.push(
      state.itemSelector
        ? yield* state.itemSelector.evaluate(scopeOf(core, thread, { input: thread.input.value }, context))
        : value,
    );
  }
  if (!state.batchSize) return selected;
  const size = yield* numberOf(core, thread, state.batchSize, {
    field: 'MaxItemsPerBatch',
    fallback: 1,
    min: 1,
    max: 100_000_000,
  });
  return Array.from({ length: Math.ceil(selected.length / size) }, (_, index) => ({
    Items: selected.slice(index * size, (index + 1) * size),
  }));
}

function* startDistributed(
  core: Core,
  thread: Thread,
  state: MapState,
  items: readonly Json[],
  concurrency: number,
): Steps {
  const inputs = yield* inputsOf(core, thread, state, items);
  const widest = core.limits.distributedChildren;
  const toleratedPercentage = yield* numberOf(core, thread, state.toleratedPercentage, {
    field: 'ToleratedFailurePercentage',
    fallback: 0,
    min: 0,
    max: 100,
  });
  const toleratedCount = yield* numberOf(core, thread, state.toleratedCount, {
    field: 'ToleratedFailureCount',
    fallback: 0,
    min: 0,
    max: 100_000_000,
  });
  thread.phase = 'task';
  core.startMapRun(thread, inputs, {
    maxConcurrency: concurrency === 0 ? widest : Math.min(concurrency, widest),
    toleratedPercentage,
    toleratedCount,
  });
}

function* resultOf(core: Core, thread: Thread, state: MapState): Steps<Payload> {
  const { outcome } = thread;
  if (!state.distributed) {
    const outputs = Array.from(
      { length: thread.expected },
      (_, index) => thread.children.get(index)?.output ?? new Payload(null),
    );
    return listOf(outputs);
  }
  if (!outcome?.ok) throw new Error(`Map ${state.name} resumed without its run's outcome.`);
  core.emit(thread, 'MapRunSucceeded');
  const run = Payload.parse(outcome.output).value as {
    readonly MapRunArn: string;
    readonly Results: readonly Json[];
  };
  if (!state.resultWriter) return new Payload(run.Results);
  const place = yield* state.resultWriter.evaluate(scopeOf(core, thread, { input: thread.input.value }));
  return new Payload(yield* writeResults(core, place, run.MapRunArn, run.Results, state.name));
}

/** The end of a Map: its results, written away where the state says so, or its failure. */
export function* finishMap(core: Core, thread: Thread, state: MapState): Steps {
  const { outcome } = thread;
  if (outcome && !outcome.ok) {
    if (state.distributed)
      core.emit(thread, 'MapRunFailed', 'mapRunFailedEventDetails', {
        error: outcome.error,
        cause: outcome.cause,
      });
    core.emit(thread, 'MapStateFailed', 'executionFailedEventDetails', {
      error: outcome.error,
      cause: outcome.cause,
    });
    throw new AslFailure(outcome.error, outcome.cause);
  }
  const result = yield* resultOf(core, thread, state);
  core.emit(thread, 'MapStateSucceeded');
  core.dropChildren(thread);
  yield* leaveState(core, thread, state, { input: thread.input.value, result: result.value }, result);
}
