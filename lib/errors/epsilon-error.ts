/** Exit codes of the `epsilon` command; printed in its help. */
export const exitCodes = {
  ok: 0,
  runFailed: 1,
  badInput: 2,
  conflict: 3,
  backend: 4,
  interrupted: 130,
} as const;

/** One of the documented exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What an error carries beside its message. */
export interface EpsilonErrorOptions {
  readonly exitCode?: ExitCode;
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Facts for machines: offending key, position, bounds. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An error with a stable code (`TENANT_ID_INVALID`) that users and scripts may rely on.
 * `error.name` is what an execution is said to have failed with and what Retry and Catch match: it is the code, and
 * subclasses that machines name set it to a literal of their own.
 */
export class EpsilonError extends Error {
  override readonly name: string;
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: EpsilonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
    this.exitCode = options.exitCode ?? exitCodes.badInput;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}
