import { type Core, checkSize, type MapSettings, type Steps, scopeOf } from '../core.ts';
import { AslFailure, failureOf } from '../failure.ts';
import { type Json, Payload } from '../json.ts';
import { evaluateNumber, type Template } from '../jsonata/template.ts';
import type { Thread } from '../live.ts';
import type { MapState } from '../machine.ts';
import { batchItems } from '../map-batches.ts';
import { readItems } from '../map-data.ts';
import { writeResults } from '../map-results.ts';

function* settingsOf(core: Core, thread: Thread, state: MapState, concurrency: number): Steps<MapSettings> {
  const scope = scopeOf(core, thread, { input: thread.input.value });
  const number = function* (template: Template | undefined, field: string, max: number, whole: boolean) {
    return template ? yield* evaluateNumber(template, scope, { field, min: 0, max, whole }) : 0;
  };
  const widest = core.limits.distributedChildren;
  return {
    maxConcurrency: concurrency === 0 ? widest : Math.min(concurrency, widest),
    toleratedPercentage: yield* number(state.toleratedPercentage, 'ToleratedFailurePercentage', 100, false),
    toleratedCount: yield* number(state.toleratedCount, 'ToleratedFailureCount', 100_000_000, true),
  };
}

/** Inputs of the children: each item as it is selected, or batches of them. */
function* inputsOf(
  core: Core,
  thread: Thread,
  state: MapState,
  items: readonly Json[],
): Steps<readonly Json[]> {
  const { itemSelector: selector, batcher } = state;
  const scope = (context?: Record<string, unknown>) =>
    scopeOf(core, thread, { input: thread.input.value }, context);
  const selected: Json[] = [];
  for (const [index, value] of items.entries()) {
    const context = { Map: { Item: { Index: index, Value: value } } };
    selected.push(selector ? yield* selector.evaluate(scope(context)) : value);
  }
  const inputs = batcher ? yield* batchItems(batcher, scope(), selected, state.name) : selected;
  for (const [index, input] of inputs.entries())
    checkSize(core, new Payload(input), `input of child ${index} of state "${state.name}"`);
  return inputs;
}

/**
 * Starts the run of a distributed Map. As on the service the items are read while the run is under way: the history says
 * that it started, with a length of 0 where a reader brings the items, before a reader can fail.
 */
export function* startDistributed(
  core: Core,
  thread: Thread,
  state: MapState,
  given: { readonly items?: readonly Json[]; readonly concurrency: number },
): Steps {
  const settings = yield* settingsOf(core, thread, state, given.concurrency);
  const length = given.items?.length ?? 0;
  core.emit(thread, 'MapStateStarted', 'mapStateStartedEventDetails', { length });
  const arn = core.mapRuns.name(thread);
  core.emit(thread, 'MapRunStarted', 'mapRunStartedEventDetails', { mapRunArn: arn });
  let inputs: readonly Json[];
  try {
    const scope = scopeOf(core, thread, { input: thread.input.value });
    const items =
      given.items ?? (state.itemReader ? yield* readItems(core, scope, state.itemReader, state.name) : []);
    inputs = yield* inputsOf(core, thread, state, items);
  } catch (error) {
    if (error instanceof AslFailure) {
      core.mapRuns.refuse(thread, arn, settings);
      core.emit(thread, 'MapRunFailed', 'mapRunFailedEventDetails', {
        ...failureOf(error.error, error.reason),
      });
    }
    throw error;
  }
  thread.phase = 'task';
  core.mapRuns.start(thread, arn, inputs, settings);
}

/** What a run gives to its state; where a ResultWriter says so the results are written away, those of a failed run too. */
export function* resultOfRun(core: Core, thread: Thread, state: MapState): Steps<Payload> {
  const { outcome, task } = thread;
  if (!outcome || task?.mapRunArn === undefined)
    throw new Error(`Map ${state.name} resumed without its run's outcome.`);
  const { resultWriter: writer } = state;
  const scope = scopeOf(core, thread, { input: thread.input.value });
  if (!outcome.ok) {
    if (writer?.place) yield* writeResults(core, writer, scope, task.mapRunArn, state);
    throw new AslFailure(outcome.error, outcome.cause);
  }
  if (writer) return new Payload(yield* writeResults(core, writer, scope, task.mapRunArn, state));
  return Payload.parse(outcome.output);
}
