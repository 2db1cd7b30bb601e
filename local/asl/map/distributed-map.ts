import type { MapState } from '../definition/machine.ts';
import { evaluateNumber, type Template } from '../jsonata/template.ts';
import { AslFailure, failureOf } from '../model/failure.ts';
import { type Json, Payload } from '../model/json.ts';
import type { Thread } from '../threads/live-execution.ts';
import {
  checkSize,
  type MapSettings,
  type StateContext,
  type Steps,
  scopeOf,
} from '../threads/state-context.ts';
import { widthOf } from './active-map-runs.ts';
import { batchItems } from './batch-items.ts';
import { readItems } from './read-items.ts';
import { writeResults } from './write-results.ts';

function* evaluateSettings(
  context: StateContext,
  thread: Thread,
  state: MapState,
  concurrency: number,
): Steps<MapSettings> {
  const scope = scopeOf(context, thread, { input: thread.input.value });
  const number = function* (template: Template | undefined, max: number, whole: boolean) {
    return template ? yield* evaluateNumber(template, scope, { min: 0, max, whole }) : 0;
  };
  return {
    maxConcurrency: widthOf(concurrency, context.limits),
    toleratedPercentage: yield* number(state.toleratedPercentage, 100, false),
    toleratedCount: yield* number(state.toleratedCount, 100_000_000, true),
  };
}

/** Inputs of the children: each item as it is selected, or batches of them. */
function* selectInputs(
  context: StateContext,
  thread: Thread,
  state: MapState,
  items: readonly Json[],
): Steps<readonly Json[]> {
  const { itemSelector: selector, batcher } = state;
  const scope = (contextObject?: Record<string, unknown>) =>
    scopeOf(context, thread, { input: thread.input.value }, contextObject);
  const selected: Json[] = [];
  for (const [index, value] of items.entries()) {
    const contextObject = { Map: { Item: { Index: index, Value: value } } };
    selected.push(selector ? yield* selector.evaluate(scope(contextObject)) : value);
  }
  const inputs = batcher ? yield* batchItems(batcher, scope(), selected, state.name) : selected;
  for (const [index, input] of inputs.entries())
    checkSize(context, new Payload(input), `input of child ${index} of state "${state.name}"`);
  return inputs;
}

/**
 * Starts the run of a distributed Map. As on the service the items are read while the run is under way: the history says
 * that it started, with a length of 0 where a reader brings the items, before a reader can fail.
 */
export function* startDistributed(
  context: StateContext,
  thread: Thread,
  state: MapState,
  given: { readonly items?: readonly Json[]; readonly concurrency: number },
): Steps {
  const settings = yield* evaluateSettings(context, thread, state, given.concurrency);
  const length = given.items?.length ?? 0;
  context.emit(thread, 'MapStateStarted', 'mapStateStartedEventDetails', { length });
  const arn = context.mapRuns.name(thread);
  context.emit(thread, 'MapRunStarted', 'mapRunStartedEventDetails', { mapRunArn: arn });
  let inputs: readonly Json[];
  try {
    const scope = scopeOf(context, thread, { input: thread.input.value });
    const items =
      given.items ?? (state.itemReader ? yield* readItems(context, scope, state.itemReader, state.name) : []);
    inputs = yield* selectInputs(context, thread, state, items);
  } catch (error) {
    if (error instanceof AslFailure) {
      context.mapRuns.refuse(thread, arn, settings);
      context.emit(thread, 'MapRunFailed', 'mapRunFailedEventDetails', {
        ...failureOf(error.error, error.reason),
      });
    }
    throw error;
  }
  thread.phase = 'task';
  context.mapRuns.start(thread, arn, inputs, settings);
}

/** What a Map Run returns to its state; where a ResultWriter says so the results are written away, those of a failed run too. */
export function* finishMapRun(context: StateContext, thread: Thread, state: MapState): Steps<Payload> {
  const { outcome, task } = thread;
  if (!outcome || task?.mapRunArn === undefined)
    throw new Error(`Map ${state.name} resumed without its run's outcome.`);
  const { resultWriter: writer } = state;
  const scope = scopeOf(context, thread, { input: thread.input.value });
  if (!outcome.ok) {
    if (writer?.place) yield* writeResults(context, writer, scope, task.mapRunArn, state);
    throw new AslFailure(outcome.error, outcome.cause);
  }
  if (writer) return new Payload(yield* writeResults(context, writer, scope, task.mapRunArn, state));
  return Payload.parse(outcome.output);
}
