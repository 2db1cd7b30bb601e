import { EpsilonError, type ExitCode, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { type Call, checkQuery, type ExposedPort, exposed } from './call.ts';

/** An answer or a failure with everything a caller may see of it. */
export type Reply =
  | { readonly result: unknown }
  | {
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly exitCode: number;
        readonly details: Readonly<Record<string, unknown>>;
      };
    };

function pack(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  return value;
}

/** Turns packed bytes back into bytes. */
export function unpack(value: unknown): unknown {
  const bytes =
    typeof value === 'object' && value !== null ? (value as { $bytes?: unknown }).$bytes : undefined;
  return typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'base64')) : value;
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Task tokens are secrets: they never leave the control plane. */
function withoutTokens(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null, (key, each: unknown) => (key === 'taskToken' ? undefined : each)),
  );
}

/** Answers one call; throws what the call throws, and `RPC_UNKNOWN` for what may not be called. */
async function perform(control: OperatorApi, { port, method, args }: Call): Promise<unknown> {
  const methods: readonly string[] | undefined = Object.hasOwn(exposed, port)
    ? exposed[port as ExposedPort]
    : undefined;
  if (!methods?.includes(method)) throw new NotFound('RPC_UNKNOWN', `There is no ${port}.${method}.`);
  checkQuery(port as ExposedPort, method, args);
  const target = control[port as ExposedPort] as unknown as Record<string, (...values: unknown[]) => unknown>;
  const value = await target[method]?.(...args);
  if (value instanceof Uint8Array) return pack(value);
  return withoutTokens(isStream(value) ? await Array.fromAsync(value) : value);
}

/** A reply with the HTTP status that goes with it. */
export interface Answer {
  readonly status: 200 | 400 | 401 | 403 | 404 | 405 | 409 | 413 | 500 | 503;
  readonly reply: Reply;
}

/** Answers a call that `read` gives or refuses. */
export async function answer(control: () => OperatorApi, read: () => Call | Promise<Call>): Promise<Answer> {
  try {
    return { status: 200, reply: { result: await perform(control(), await read()) } };
  } catch (error) {
    return refusal(error);
  }
}

/** HTTP status of an error: 4xx when another call is needed, 5xx when the same call may do later. */
function statusOf(error: unknown): Answer['status'] {
  if (!(error instanceof EpsilonError)) return 500;
  if (error instanceof NotFound) return 404;
  if (error.exitCode === exitCodes.badInput) return 400;
  // A run or a night that failed is a fact that the caller's wish is in conflict with.
  return error.exitCode === exitCodes.backend ? 503 : 409;
}

/** The answer that reports an error. */
export function refusal(error: unknown, status: Answer['status'] = statusOf(error)): Answer {
  const described =
    error instanceof EpsilonError
      ? { code: error.code, message: error.message, exitCode: error.exitCode, details: error.details }
      : { code: 'INTERNAL', message: (error as Error).message, exitCode: exitCodes.backend, details: {} };
  return { status, reply: { error: described } };
}

/** The error of a reply, as it was thrown on the other side. */
export function errorOf({
  code,
  message,
  exitCode,
  details,
}: Extract<Reply, { error: unknown }>['error']): EpsilonError {
  return new EpsilonError(code, message, { exitCode: exitCode as ExitCode, details });
}
