import { EpsilonError } from '../errors/epsilon-error.ts';

/** One state of a machine that becomes a task of a DAG. */
export interface GraphTask {
  /** Name of the Task state. */
  readonly state: string;
  /** Key of the function that the state invokes. */
  readonly functionKey: string;
  /** States whose tasks come directly before it. */
  readonly after: readonly string[];
  /** The Map state that the task is repeated for; absent outside of Maps. */
  readonly map?: string;
  /** Retries of the state, by the name of the error. */
  readonly retries: ReadonlyMap<string, { readonly times: number; readonly seconds: number }>;
  readonly timeoutSeconds: number;
}

interface StateJson {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Branches?: readonly DefinitionJson[];
  readonly ItemProcessor?: DefinitionJson;
  readonly Arguments?: {
    readonly FunctionName?: { readonly 'Fn::GetAtt'?: readonly string[] };
  };
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly MaxAttempts?: number;
    readonly IntervalSeconds?: number;
  }[];
  readonly TimeoutSeconds?: number;
}

/** The part of a state machine's definition that becomes a graph. */
export interface DefinitionJson {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, StateJson>>;
}

/** Number of retries of a state without the field, and seconds between them (Amazon States Language). */
const defaultRetry = { times: 3, seconds: 1 };

function unsupported(name: string, what: string): EpsilonError {
  return new EpsilonError('DAG_UNSUPPORTED', `State ${name} cannot become a task of a DAG: ${what}.`);
}

function taskOf(name: string, state: StateJson, after: readonly string[], map?: string): GraphTask {
  const functionKey = state.Arguments?.FunctionName?.['Fn::GetAtt']?.[0];
  if (functionKey === undefined) throw unsupported(name, 'it invokes no function of this service');
  const retries = (state.Retry ?? []).flatMap((one) =>
    one.ErrorEquals.map(
      (error) =>
        [
          error,
          {
            times: one.MaxAttempts ?? defaultRetry.times,
            seconds: one.IntervalSeconds ?? defaultRetry.seconds,
          },
        ] as const,
    ),
  );
  return {
    state: name,
    functionKey,
    after,
    ...(map === undefined ? {} : { map }),
    retries: new Map(retries),
    timeoutSeconds: state.TimeoutSeconds ?? 60,
  };
}

interface Walked {
  readonly tasks: readonly GraphTask[];
  /** Tasks at which the definition ends. */
  readonly last: readonly string[];
}

/** States that run jobs of the machine's own: Airflow does without. */
const jobsOfMachine: ReadonlySet<string> = new Set(['ProfileDatasets']);

/** What one state adds to the graph, and the tasks that the next state comes after. */
function walkState(name: string, state: StateJson, after: readonly string[], map?: string): Walked {
  if (state.Type === 'Task') return { tasks: [taskOf(name, state, after, map)], last: [name] };
  if (state.Type === 'Parallel') {
    const branches = (state.Branches ?? []).map((branch) => walk(branch, after, map));
    return {
      tasks: branches.flatMap(({ tasks }) => tasks),
      last: branches.flatMap(({ last }) => last),
    };
  }
  if (state.Type === 'Map' && state.ItemProcessor && map === undefined)
    return walk(state.ItemProcessor, after, name);
  if (state.Type === 'Succeed' || jobsOfMachine.has(name)) return { tasks: [], last: after };
  throw unsupported(
    name,
    `a ${state.Type} state${map === undefined ? '' : ` in the Map ${map}`} has no counterpart`,
  );
}

function walk(definition: DefinitionJson, after: readonly string[], map?: string): Walked {
  const tasks: GraphTask[] = [];
  let last = after;
  for (let name: string | undefined = definition.StartAt; name !== undefined; ) {
    const state: StateJson | undefined = definition.States[name];
    if (!state) throw unsupported(name, 'the definition has no such state');
    const walked = walkState(name, state, last, map);
    tasks.push(...walked.tasks);
    last = walked.last;
    name = state.Next;
  }
  return { tasks, last };
}

/**
 * The tasks of a machine on its way to success, each after those it is listed with; what only a `Catch` reaches is left out: it ends a
 * run that does nothing. Error: `DAG_UNSUPPORTED` for a state that has no counterpart in a DAG.
 */
export function taskGraphOf(definition: DefinitionJson): readonly GraphTask[] {
  return walk(definition, []).tasks;
}

/** `TrainModel` becomes `train_model`; names of the specification that differ are in the table. */
const namesOfSpecification: Readonly<Record<string, string>> = {
  CheckCompleteness: 'check_data_completeness',
  CheckFreshness: 'check_data_freshness',
};

/** The id of a state's task. */
export function taskIdOf(state: string): string {
  return (
    namesOfSpecification[state] ??
    state.replace(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`)
  );
}
