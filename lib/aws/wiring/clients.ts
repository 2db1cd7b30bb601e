import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { actionOf, type ClientContext, explainAccessError, resourceOf } from '../errors/access-errors.ts';

/** Tries of one call, the first included: later errors go to the caller, whose state machine retries. */
const mostAttempts = 4;

/** Milliseconds to connect, and to wait for an answer; a Lambda outlives two of the latter. */
const connectionTimeout = 3_000;
const requestTimeout = 15_000;

/** Configuration that all clients share. Region, profile and endpoint otherwise come from the SDK's own chain. */
export interface ClientSettings {
  readonly region: string;
  readonly profile?: string;
  /** Aborted when nobody waits any more: calls that only read are given up, writes are seen through. */
  readonly signal?: AbortSignal;
}

/** The part of an SDK client's configuration that Epsilon sets. */
export interface ClientOptions {
  region: string;
  profile?: string;
  maxAttempts: number;
  retryMode: 'standard';
  requestHandler: { connectionTimeout: number; requestTimeout: number; throwOnRequestTimeout: boolean };
}

interface AnyClient {
  readonly middlewareStack: { add(middleware: never, options: { step: 'initialize'; name: string }): void };
  destroy(): void;
}

type Handler = (call: { input: unknown }) => Promise<unknown>;

/** SDK clients, each built on first use and kept for the life of the process. */
export interface Clients {
  readonly region: string;
  /** The client of a class; the same one every time. */
  of<C extends AnyClient>(client: new (options: ClientOptions) => C): C;
  /** Clients of another region, otherwise alike; the same ones every time. */
  in(region: string): Clients;
  /** Closes their connections. */
  close(): void;
}

const reading = /^(Get|List|Describe|Head|BatchGet|Query|Scan|Filter)/;

/** Gives a reading call up when the signal comes, with `INTERRUPTED`. */
async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  context: ClientContext,
  work: () => Promise<T>,
): Promise<T> {
  if (!signal || !reading.test(context.commandName ?? '')) return work();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () =>
    reject(
      new EpsilonError('INTERRUPTED', `Stopped while waiting for ${actionOf(context)}; it changes nothing.`, {
        exitCode: exitCodes.interrupted,
      }),
    );
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([signal.aborted ? promise : work(), promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Explains obstacles between this process and the service (credentials, region, network) once, for every call of a client. */
function explaining(settings: ClientSettings) {
  return (next: Handler, context: ClientContext) => async (call: { input: unknown }) => {
    try {
      return await unlessAborted(settings.signal, context, () => next(call));
    } catch (error) {
      const resource = resourceOf(call.input);
      throw explainAccessError(error, context, {
        ...settings,
        ...(resource === undefined ? {} : { resource }),
      });
    }
  };
}

/** Makes the clients of a process: standard retries, stated timeouts, kept connections. */
export function createClients(settings: ClientSettings): Clients {
  const made = new Map<unknown, AnyClient>();
  const elsewhere = new Map<string, Clients>();
  const options = (): ClientOptions => ({
    region: settings.region,
    ...(settings.profile === undefined ? {} : { profile: settings.profile }),
    maxAttempts: mostAttempts,
    retryMode: 'standard',
    requestHandler: { connectionTimeout, requestTimeout, throwOnRequestTimeout: true },
  });
  const own: Clients = {
    region: settings.region,
    of: <C extends AnyClient>(Client: new (options: ClientOptions) => C): C => {
      const there = made.get(Client);
      if (there) return there as C;
      const client = new Client(options());
      client.middlewareStack.add(explaining(settings) as never, {
        step: 'initialize',
        name: 'explainAccess',
      });
      made.set(Client, client);
      return client;
    },
    in: (region) => {
      if (region === settings.region) return own;
      const there = elsewhere.get(region) ?? createClients({ ...settings, region });
      elsewhere.set(region, there);
      return there;
    },
    close: () => {
      for (const client of [...made.values()]) client.destroy();
      for (const clients of elsewhere.values()) clients.close();
      made.clear();
    },
  };
  return own;
}
