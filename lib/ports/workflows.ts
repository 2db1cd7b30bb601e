/** Status of an execution, as Step Functions names it. */
export type ExecutionStatus =
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'TIMED_OUT'
  | 'ABORTED'
  | 'PENDING_REDRIVE';

/** One execution in short. */
export interface ExecutionSummary {
  readonly executionArn: string;
  readonly machine: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: string;
  readonly stopDate?: string;
  readonly redriveCount: number;
}

/** One execution whole. `input` and `output` are parsed JSON. */
export interface ExecutionDetail extends ExecutionSummary {
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  readonly redriveStatus?: 'REDRIVABLE' | 'NOT_REDRIVABLE' | 'REDRIVABLE_BY_MAP_RUN';
  readonly redriveStatusReason?: string;
}

/** One history event: `type` and detail fields as GetExecutionHistory writes them. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: string;
  readonly type: string;
  readonly [detail: string]: unknown;
}

/** Settings of a run of a distributed Map that can be changed while it runs. */
export interface MapRunSettings {
  /** Children at once; 0 sets no limit of the run's own. */
  readonly maxConcurrency: number;
  /** Children that may fail; 0 with a percentage of 0 tolerates none. */
  readonly toleratedFailureCount: number;
  /** Share of the children that may fail, in percent, from 0 to 100. */
  readonly toleratedFailurePercentage: number;
}

/** One run of a distributed Map; `children` counts its child executions. */
export interface MapRun extends MapRunSettings {
  readonly mapRunArn: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  readonly startDate: string;
  readonly stopDate?: string;
  readonly redriveCount: number;
  readonly children: {
    readonly total: number;
    readonly pending: number;
    readonly running: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly timedOut: number;
    readonly aborted: number;
  };
}

/**
 * Starting, watching and steering executions, the same on Step Functions and on the embedded engine.
 * An execution is named by its ARN or by `machine/name`.
 * Errors: `MACHINE_NOT_FOUND`, `EXECUTION_NOT_FOUND`, `EXECUTION_ALREADY_EXISTS`, `REDRIVE_NOT_ALLOWED`, `RUN_NAME_INVALID`,
 * `MAP_RUN_NOT_FOUND`, `MAP_RUN_NOT_RUNNING`.
 */
export interface Workflows {
  machines(): Promise<string[]>;
  start(request: {
    machine: string;
    name?: string;
    input: unknown;
  }): Promise<{ readonly executionArn: string }>;
  describe(executionArn: string): Promise<ExecutionDetail>;
  /** Newest first. */
  list(filter: { machine?: string; status?: ExecutionStatus; limit?: number }): Promise<ExecutionSummary[]>;
  history(executionArn: string): AsyncIterable<HistoryEvent>;
  redrive(executionArn: string): Promise<void>;
  stop(executionArn: string, reason: { error: string; cause: string }): Promise<void>;
  /** Runs of the distributed Maps of an execution. */
  mapRuns(executionArn: string): Promise<MapRun[]>;
  describeMapRun(mapRunArn: string): Promise<MapRun>;
  /** Changes settings of a map run that is running; what is not named stays. A narrower run finishes what it has begun. */
  updateMapRun(mapRunArn: string, changes: Partial<MapRunSettings>): Promise<void>;
}
