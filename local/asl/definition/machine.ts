import type { Template } from '../jsonata/template.ts';

/** A Retry entry. */
export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds?: number;
  readonly jitter: boolean;
}

/** A Catch entry. */
export interface Catcher {
  readonly errorEquals: readonly string[];
  readonly next: string;
  readonly output?: Template;
  readonly assign?: Template;
}

interface Common {
  readonly name: string;
  /** Absent when `end`. */
  readonly next?: string;
  readonly end: boolean;
  readonly output?: Template;
  readonly assign?: Template;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

/** Kinds of integration a Task may name. */
export type Integration =
  | 'lambda'
  | 'startExecution'
  | 'startExecution.sync'
  | 'putEvents'
  | 'snsPublish'
  | 'sqsSendMessage';

/** A Task state. */
export interface TaskState extends Common {
  readonly type: 'Task';
  readonly resource: string;
  readonly integration: Integration;
  readonly waitForTaskToken: boolean;
  readonly arguments?: Template;
  readonly timeout?: Template;
  readonly heartbeat?: Template;
}

/** A Pass state. */
export interface PassState extends Common {
  readonly type: 'Pass';
}

/** One rule of a Choice. */
export interface ChoiceRule {
  readonly condition: Template;
  readonly next: string;
  readonly output?: Template;
  readonly assign?: Template;
}

/** A Choice state. */
export interface ChoiceState extends Common {
  readonly type: 'Choice';
  readonly choices: readonly ChoiceRule[];
  readonly default?: string;
}

/** A Wait state. */
export interface WaitState extends Common {
  readonly type: 'Wait';
  readonly seconds?: Template;
  readonly timestamp?: Template;
}

/** A Succeed state. */
export interface SucceedState extends Common {
  readonly type: 'Succeed';
}

/** A Fail state. */
export interface FailState extends Common {
  readonly type: 'Fail';
  readonly error?: Template;
  readonly cause?: Template;
}

/** A Parallel state. */
export interface ParallelState extends Common {
  readonly type: 'Parallel';
  readonly arguments?: Template;
  readonly branches: readonly Block[];
}

/** Where a distributed Map's items come from. */
export interface ItemReader {
  readonly inputType: 'JSON' | 'JSONL' | 'CSV';
  readonly csvHeaders?: readonly string[];
  /** JSON Pointer to the items inside a JSON object file. */
  readonly itemsPointer?: string;
  readonly csvDelimiter: string;
  readonly maxItems?: Template;
  readonly arguments: Template;
}

/** How a distributed Map's items are put together; at least one of the two limits is there. */
export interface ItemBatcher {
  readonly maxItems?: Template;
  readonly maxBytes?: Template;
  /** What every batch holds beside its items. */
  readonly batchInput?: Template;
}

/** What becomes of a distributed Map's results. */
export interface ResultWriter {
  readonly transformation: 'NONE' | 'COMPACT' | 'FLATTEN';
  readonly outputType: 'JSON' | 'JSONL';
  /** Bucket and prefix; where there is none the results are the state's. */
  readonly place?: Template;
}

/** A Map state. */
export interface MapState extends Common {
  readonly type: 'Map';
  readonly distributed: boolean;
  readonly label: string;
  readonly items?: Template;
  readonly itemReader?: ItemReader;
  readonly itemSelector?: Template;
  readonly batcher?: ItemBatcher;
  readonly maxConcurrency?: Template;
  readonly toleratedPercentage?: Template;
  readonly toleratedCount?: Template;
  readonly resultWriter?: ResultWriter;
  readonly processor: Block;
}

/** A compiled state. */
export type State =
  | TaskState
  | PassState
  | ChoiceState
  | WaitState
  | SucceedState
  | FailState
  | ParallelState
  | MapState;

/** States that are run together: a machine, a branch, or a Map's processor. */
export interface Block {
  /** Place in the definition: "" for the machine, `State/0` for a branch, `State/*` for a processor. */
  readonly path: string;
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

/** A machine that may be run. */
export interface Machine extends Block {
  readonly comment?: string;
  readonly timeoutSeconds?: number;
  /** Every block by its path. */
  readonly blocks: ReadonlyMap<string, Block>;
}

/** A fault of a definition. */
export interface Fault {
  readonly code: 'ASL_INVALID' | 'ASL_UNSUPPORTED';
  /** Place in the definition, as `States.Train.Retry[0]`. */
  readonly path: string;
  readonly message: string;
}
