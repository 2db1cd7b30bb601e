/** One invocation of a function by a Task. */
export interface FunctionInvocation {
  readonly functionName: string;
  readonly payload: unknown;
  readonly executionArn: string;
  readonly traceId?: string;
  /** Aborted when the execution is stopped or the Task times out. */
  readonly signal: AbortSignal;
}

/**
 * What Tasks may call outside the engine. A function's error carries its `name` (the Lambda error type) and `message`.
 * Everything may be called again after a crash: at least once, as on AWS.
 */
export interface Integrations {
  invokeFunction(invocation: FunctionInvocation): Promise<unknown>;
  readObject(bucket: string, key: string): Promise<Uint8Array>;
  writeObject(bucket: string, key: string, body: string): Promise<void>;
  putEvents(entries: readonly unknown[]): Promise<unknown>;
  snsPublish(request: unknown): Promise<unknown>;
  sqsSendMessage(request: unknown): Promise<unknown>;
}
