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

/**
 * Starting, watching and steering executions, the same on Step Functions and on the embedded engine.
 * An execution is named by its ARN or by `machine/name`.
 * Errors: `MACHINE_NOT_FOUND`, `EXECUTION_NOT_FOUND`, `EXECUTION_ALREADY_EXISTS`, `REDRIVE_NOT_ALLOWED`, `RUN_NAME_INVALID`.
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
}
