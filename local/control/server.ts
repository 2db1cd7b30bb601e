import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Actor } from '../../lib/audit/record.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { ownerOf } from './owner.ts';
import { answer, type Call } from './rpc.ts';

/** Largest call. */
const largestCall = 1_048_576;

/** Opens the operator's port for whom a call comes from. */
export type ControlFor = (actor: Actor) => OperatorApi;

/** A server that is listening. */
export interface Listening {
  /** Where: a path or a URL. */
  readonly at: string;
  close(): Promise<void>;
}

function rpcApp(control: () => OperatorApi): Hono {
  const app = new Hono();
  app.use(
    bodyLimit({
      maxSize: largestCall,
      onError: (context) =>
        context.json(
          {
            error: {
              code: 'RPC_TOO_LARGE',
              message: 'The call is larger than 1 MiB.',
              exitCode: 2,
              details: {},
            },
          },
          413,
        ),
    }),
  );
  app.post('/rpc', async (context) => {
    const call = (await context.req.json().catch(() => ({}))) as Partial<Call>;
    return context.json(
      await answer(control(), {
        port: String(call.port),
        method: String(call.method),
        args: call.args ?? [],
      }),
    );
  });
  return app;
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = error.code === 'EADDRINUSE';
      const at = 'path' in where ? where.path : `port ${where.port}`;
      reject(
        busy
          ? new EpsilonError(
              'ADDRESS_IN_USE',
              `Another process listens on ${at}; choose another with --port.`,
              { exitCode: exitCodes.conflict, cause: error },
            )
          : error,
      );
    });
    server.listen(where, resolve);
  });
}

function closing(server: Server, at: string, also: () => void = () => {}): Listening {
  return {
    at,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          also();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/**
 * Serves the control plane on a socket that only its owner can open, in whose name callers act. A socket left by a dead process
 * is replaced.
 */
export async function serveSocket(controlFor: ControlFor, path: string): Promise<Listening> {
  rmSync(path, { force: true });
  let control: OperatorApi | undefined;
  const server = createAdaptorServer({
    fetch: rpcApp(() => {
      control ??= controlFor(ownerOf(path, 'socket'));
      return control;
    }).fetch,
  }) as Server;
  await listen(server, { path });
  chmodSync(path, 0o600);
  return closing(server, path, () => rmSync(path, { force: true }));
}

/** The token callers of the HTTP port must show; made on first use, readable by its owner only. */
function tokenIn(file: string): string {
  if (!existsSync(file))
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  return readFileSync(file, 'utf8').trim();
}

function same(given: string, token: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(token)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * Serves metrics and, with the token, the control API on 127.0.0.1, in the name of the token's owner. Host and Origin are
 * checked against rebinding.
 */
export async function serveHttp(
  controlFor: ControlFor,
  options: { readonly port: number; readonly tokenFile: string; readonly metricsText: () => string },
): Promise<Listening> {
  const token = tokenIn(options.tokenFile);
  const control = controlFor(ownerOf(options.tokenFile, 'http'));
  let allowed: readonly string[] = [];
  const app = new Hono();
  app.use(async (context, next) => {
    const origin = context.req.header('origin');
    const fromHere = allowed.includes(context.req.header('host') ?? '');
    if (!fromHere || (origin !== undefined && !allowed.includes(origin.replace(/^http:\/\//, '')))) {
      return context.json(
        { error: { code: 'HOST_REFUSED', message: 'Requests must name 127.0.0.1 or localhost.' } },
        403,
      );
    }
    return next();
  });
  app.get('/metrics', (context) =>
    context.text(options.metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4' }),
  );
  app.use('/rpc', async (context, next) => {
    const given = context.req.header('authorization')?.replace(/^Bearer /, '') ?? '';
    if (same(given, token)) return next();
    return context.json(
      {
        error: {
          code: 'TOKEN_REQUIRED',
          message: 'Send the token of the state directory as a bearer token.',
        },
      },
      401,
    );
  });
  app.route(
    '/',
    rpcApp(() => control),
  );
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await listen(server, { host: '127.0.0.1', port: options.port });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  allowed = [`127.0.0.1:${port}`, `localhost:${port}`];
  return closing(server, `http://127.0.0.1:${port}`);
}
