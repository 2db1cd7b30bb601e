/** A failure inside a machine: an ASL error name and a cause. It is data of the run, not a fault of the engine. */
export class AslFailure extends Error {
  override readonly name = 'AslFailure';
  readonly error: string;
  readonly reason: string;

  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`);
    this.error = error;
    this.reason = cause;
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
export function matchesError(errorEquals: readonly string[], error: string): boolean {
  return errorEquals.some((name) => {
    if (name === error) return true;
    if (name === statesErrors.all) return !uncatchable.has(error);
    if (name === statesErrors.timeout) return error === statesErrors.heartbeat;
    if (name === statesErrors.taskFailed) {
      return error !== statesErrors.timeout && error !== statesErrors.heartbeat && !uncatchable.has(error);
    }
    return false;
  });
}
