import { EpsilonError, type ExitCode } from '../../lib/errors/epsilon-error.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';

/** Exactly what may be called from outside; everything else does not exist. */
export const exposed = {
  workflows: ['machines', 'start', 'describe', 'list', 'history', 'redrive', 'stop'],
  tenants: ['get', 'list', 'add', 'update', 'suspend', 'resume', 'remove'],
  runs: ['getRun', 'listRuns', 'listAttempts'],
  models: ['get', 'list', 'live', 'promote', 'rollback'],
  objects: ['get', 'head', 'list'],
  logs: ['read'],
  schedules: ['list', 'fire'],
  audit: ['list'],
} as const;

/** Ports that are reachable. */
export type ExposedPort = keyof typeof exposed;

/** One call. */
export interface Call {
  readonly port: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

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

/** Answers one call. */
export async function answer(control: OperatorApi, { port, method, args }: Call): Promise<Reply> {
  const methods: readonly string[] | undefined = Object.hasOwn(exposed, port)
    ? exposed[port as ExposedPort]
    : undefined;
  if (!methods?.includes(method) || !Array.isArray(args)) {
    return {
      error: { code: 'RPC_UNKNOWN', message: `There is no ${port}.${method}.`, exitCode: 2, details: {} },
    };
  }
  try {
    const target = control[port as ExposedPort] as unknown as Record<
      string,
      (...values: unknown[]) => unknown
    >;
    const value = await target[method]?.(...args);
    if (value instanceof Uint8Array) return { result: pack(value) };
    return { result: withoutTokens(isStream(value) ? await Array.fromAsync(value) : value) };
  } catch (error) {
    return { error: describe(error) };
  }
}

function describe(error: unknown) {
  if (error instanceof EpsilonError)
    return { code: error.code, message: error.message, exitCode: error.exitCode, details: error.details };
  return { code: 'INTERNAL', message: (error as Error).message, exitCode: 4, details: {} };
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
