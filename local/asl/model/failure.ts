/** How something failed, as events, records and catchers name it; a Fail state or a callback may leave out either. */
export interface Failure {
  readonly error?: string;
  readonly cause?: string;
}

/** A failure without the fields that are not there. */
export function failureOf(error: string | undefined, cause: string | undefined): Failure {
  return { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
}

/** A failure inside a machine: an ASL error name and a cause. It is data of the run, not a fault of the engine. */
export class AslFailure extends Error {
  override readonly name = 'AslFailure';
  readonly error: string | undefined;
  readonly reason: string | undefined;
  /** The field whose evaluation failed, as the service names it: `Output/results[0]`. */
  readonly location: string | undefined;

  constructor(error: string | undefined, cause: string | undefined, location?: string) {
    super(`${error ?? 'failed'}: ${cause ?? 'without a cause'}`);
    this.error = error;
    this.reason = cause;
    this.location = location;
  }
}

/** Most characters of a cause, as the service has it (EvaluationFailedEventDetails). */
const longestCause = 32_768;

/** An expression that could not be evaluated, or gave what its field does not take: `States.QueryEvaluationError`. */
export class EvaluationFailure extends AslFailure {
  constructor(cause: string, location?: string) {
    super('States.QueryEvaluationError', cause.slice(0, longestCause), location);
  }
}

/** Step Functions' own error names. */
export const statesErrors = {
  all: 'States.ALL',
  timeout: 'States.Timeout',
  heartbeat: 'States.HeartbeatTimeout',
  taskFailed: 'States.TaskFailed',
  permissions: 'States.Permissions',
  query: 'States.QueryEvaluationError',
  tooLarge: 'States.DataLimitExceeded',
  noChoice: 'States.NoChoiceMatched',
  runtime: 'States.Runtime',
  tolerated: 'States.ExceedToleratedFailureThreshold',
  itemReader: 'States.ItemReaderFailed',
  resultWriter: 'States.ResultWriterFailed',
  http: 'States.Http.StatusCode',
} as const;

/** Errors that no wildcard catches: they are faults of the machine or of its data's size. */
const uncatchable: ReadonlySet<string> = new Set([statesErrors.tooLarge, statesErrors.runtime]);

/** Whether an `ErrorEquals` list matches an error, with the wildcards' exceptions of the language's specification. */
export function matchesError(errorEquals: readonly string[], error: string | undefined): boolean {
  return errorEquals.some((name) => {
    if (name === error) return true;
    if (error === undefined) return name === statesErrors.all || name === statesErrors.taskFailed;
    if (name === statesErrors.all) return !uncatchable.has(error);
    if (name === statesErrors.timeout) return error === statesErrors.heartbeat;
    if (name === statesErrors.taskFailed) {
      return error !== statesErrors.timeout && error !== statesErrors.heartbeat && !uncatchable.has(error);
    }
    return false;
  });
}
