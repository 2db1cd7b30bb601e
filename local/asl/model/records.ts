import type { ExecutionStatus } from '../../../lib/ports/workflows.ts';

/** One execution as the journal keeps it. Times are milliseconds since the Unix epoch; input and output are JSON texts. */
export interface ExecutionRecord {
  /** Small number that rows of the journal refer to. */
  key: number;
  arn: string;
  machine: string;
  name: string;
  status: ExecutionStatus;
  startDate: number;
  stopDate?: number;
  input: string;
  output?: string;
  error?: string;
  cause?: string;
  redriveCount: number;
  redriveDate?: number;
  /** SHA-256 of the definition the execution began with, and keeps. */
  definition: string;
  /** Path of the block it runs: "" for a whole machine, a processor's path for a child of a distributed Map. */
  block: string;
  eventCount: number;
  /** Next thread number. */
  nextThread: number;
  traceId?: string;
  /** For children of a distributed Map. */
  mapRunArn?: string;
  mapIndex?: number;
  /** Tasks (`.sync`) that wait for the end of this execution. */
  waiters: { readonly execution: number; readonly thread: number; readonly serial: number }[];
}

/** What a thread is waiting for. */
export type Phase = 'select' | 'enter' | 'again' | 'resume' | 'task' | 'wait' | 'retry' | 'children';

/** A Task that is under way. */
export interface TaskRecord {
  /** Distinguishes the answers of this try from those of earlier ones. */
  serial: number;
  token?: string;
  /** The invocation was accepted; only its token ends it now. */
  submitted: boolean;
  /** Input of the integration, JSON text. */
  arguments: string;
  timeoutAt: number;
  heartbeatMs?: number;
  heartbeatAt?: number;
  childArn?: string;
  mapRunArn?: string;
}

/** How a Task ended. */
export type Outcome =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly error?: string; readonly cause?: string; readonly timedOut?: boolean };

/** One line of control inside an execution: the root, a branch, or an inline Map's iteration. */
export interface ThreadRecord {
  id: number;
  parent?: number;
  /** Place among its siblings. */
  index: number;
  block: string;
  status: 'active' | 'done' | 'failed' | 'aborted';
  state: string;
  phase: Phase;
  input: string;
  variables: Record<string, unknown>;
  /** Retries used so far, per retrier of the state. */
  retries: number[];
  retryCount: number;
  enteredAt: number;
  /** Id of the event that says the state was entered. */
  enteredEvent?: number;
  lastEvent: number;
  task?: TaskRecord;
  outcome?: Outcome;
  /** When a wait or a retry pause is over. */
  until?: number;
  /** Items of an inline Map (JSON text of the list) and its width. */
  items?: string;
  width?: number;
  /** Number of children a Parallel or Map waits for. */
  expected?: number;
  /** The item of an iteration, JSON text. */
  item?: string;
  /** Output of a finished branch or iteration. */
  output?: string;
  error?: string;
  cause?: string;
}

/** One run of a distributed Map. */
export interface MapRunRecord {
  arn: string;
  execution: number;
  thread: number;
  serial: number;
  label: string;
  machine: string;
  block: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  startDate: number;
  stopDate?: number;
  maxConcurrency: number;
  toleratedPercentage: number;
  toleratedCount: number;
  total: number;
  redriveCount: number;
  /** Inputs of the children, a JSON list; written once. */
  inputs: string;
}

/** A history event in the form of GetExecutionHistory; `timestamp` in milliseconds since the Unix epoch. */
export interface EventRecord {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly [detail: string]: unknown;
}
