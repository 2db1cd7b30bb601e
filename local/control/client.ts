import { request } from 'node:http';
import type { ServiceConfig } from '../../lib/config/service-config.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { Waiting } from '../host/outside.ts';
import { type ExposedPort, exposed } from './call.ts';
import { followWaiting } from './follow-waiting.ts';
import { errorOf, type Reply, unpack } from './rpc.ts';

function send(socketPath: string, call: unknown): Promise<Reply> {
  const body = JSON.stringify(call);
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ socketPath, path: '/rpc', method: 'POST', headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString('utf8')) as Reply);
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Methods that give streams. */
const streams: ReadonlySet<string> = new Set(['workflows.history']);

/** What of a control plane on this host needs no call: objects are read where they are, piece by piece. */
export interface Here {
  readonly config: ServiceConfig;
  readonly clock: Clock;
  readonly objects: OperatorApi['objects'];
  /** Hears what the control plane has to wait for outside it, and when that is over. */
  readonly onWaiting?: ((waiting: Waiting) => void) | undefined;
}

/** A control plane behind a socket; undefined when nobody answers there. */
export async function connectControl(
  socketPath: string,
  { config, clock, objects, onWaiting }: Here,
): Promise<OperatorApi | undefined> {
  const call = async (port: string, method: string, args: unknown[]): Promise<unknown> => {
    let reply: Reply;
    try {
      reply = await send(socketPath, { port, method, args });
    } catch (error) {
      throw new EpsilonError(
        'CONTROL_UNREACHABLE',
        `The control plane at ${socketPath} does not answer any more. Nothing is lost: once it is started again, the same command goes on.`,
        { exitCode: exitCodes.backend, cause: error },
      );
    }
    if ('error' in reply) throw errorOf(reply.error);
    return reply.result === null ? undefined : unpack(reply.result);
  };
  async function* stream(port: string, method: string, args: unknown[]): AsyncGenerator<unknown> {
    yield* (await call(port, method, args)) as unknown[];
  }
  try {
    await call('schedules', 'list', []);
  } catch {
    return undefined;
  }
  const proxies = Object.entries(exposed).map(([port, methods]) => {
    const calls = methods.map((method) => [
      method,
      (...args: unknown[]) =>
        streams.has(`${port}.${method}`) ? stream(port, method, args) : call(port, method, args),
    ]);
    return [port, Object.fromEntries(calls)];
  });
  const unfollow = onWaiting && followWaiting({ socketPath, clock, report: onWaiting });
  return {
    ...(Object.fromEntries(proxies) as Pick<OperatorApi, ExposedPort>),
    config,
    clock,
    objects,
    // Documents of this host are used where they are; nothing is uploaded through the socket.
    documents: {
      put: async () => {
        throw new EpsilonError('RPC_UNKNOWN', 'The control API takes no documents.');
      },
    },
    close: async () => unfollow?.(),
  };
}
