/** Answers of task callbacks: `gone` when the token was used, expired or its execution ended. */
export type CallbackOutcome = 'delivered' | 'gone';

/** Step Functions' callbacks. `gone` is no error: it is counted and swallowed by the caller. */
export interface TaskCallbacks {
  succeed(taskToken: string, output: unknown): Promise<CallbackOutcome>;
  fail(
    taskToken: string,
    failure: { readonly error: string; readonly cause: string },
  ): Promise<CallbackOutcome>;
  heartbeat(taskToken: string): Promise<CallbackOutcome>;
}
