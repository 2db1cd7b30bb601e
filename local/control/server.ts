import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Actor } from '../../lib/audit/record.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { figuresType } from '../../lib/metrics/exposition.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { Condition } from '../host/outside.ts';
import { callOf } from './call.ts';
import { ownerOf } from './owner.ts';
import { type Answer, answer, refusal } from './rpc.ts';

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

/** What the control plane says of itself to whoever watches it. */
export interface Self {
  /** Conditions outside the process that it waits for now; none when it is well. */
  waitingFor(): readonly Condition[];
  /** Figures in Prometheus's text form. */
  metricsText(): string | Promise<string>;
}

/** Adds everything that is answered to an app whose doors, if it has any, are there already. */
function answerOn(app: Hono, control: () => OperatorApi, self: Self): Hono {
  const send = (context: Context, { status, reply }: Answer) => context.json(reply, status);
  app.use(
    bodyLimit({
      maxSize: largestCall,
      onError: (context) =>
        send(context, refusal(new EpsilonError('RPC_TOO_LARGE', 'The call is larger than 1 MiB.'), 413)),
    }),
  );
  app.get('/healthz', (context) => {
    const waitingFor = self.waitingFor();
    return context.json(
      { status: waitingFor.length === 0 ? 'ok' : 'waiting', waitingFor },
      waitingFor.length === 0 ? 200 : 503,
    );
  });
  app.get('/metrics', async (context) =>
    context.text(await self.metricsText(), 200, { 'content-type': figuresType }),
  );
  app.post('/rpc', async (context) =>
    send(context, await answer(control, async () => callOf(await context.req.text()))),
  );
  app.all('/rpc', (context) => {
    context.header('allow', 'POST');
    return send(
      context,
      refusal(new EpsilonError('RPC_METHOD', `/rpc takes POST, not ${context.req.method}.`), 405),
    );
  });
  app.notFound((context) =>
    send(
      context,
      refusal(
        new NotFound('PATH_UNKNOWN', `There is no ${context.req.path}; there are /healthz, /metrics, /rpc.`),
      ),
    ),
  );
  app.onError((error, context) => send(context, refusal(error)));
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
export async function serveSocket(controlFor: ControlFor, path: string, self: Self): Promise<Listening> {
  rmSync(path, { force: true });
  let control: OperatorApi | undefined;
  const server = createAdaptorServer({
    fetch: answerOn(
      new Hono(),
      () => {
        control ??= controlFor(ownerOf(path, 'socket'));
        return control;
      },
      self,
    ).fetch,
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
 * Serves health and metrics and, with the token, the control API on 127.0.0.1, in the name of the token's owner. Host and Origin are
 * checked against rebinding.
 */
export async function serveHttp(
  controlFor: ControlFor,
  options: { readonly port: number; readonly tokenFile: string; readonly self: Self },
): Promise<Listening> {
  const token = tokenIn(options.tokenFile);
  const control = controlFor(ownerOf(options.tokenFile, 'http'));
  let allowed: readonly string[] = [];
  const app = new Hono();
  app.use(async (context, next) => {
    const origin = context.req.header('origin');
    const fromHere = allowed.includes(context.req.header('host') ?? '');
    if (!fromHere || (origin !== undefined && !allowed.includes(origin.replace(/^http:\/\//, '')))) {
      const error = new EpsilonError('HOST_REFUSED', 'Requests must name 127.0.0.1 or localhost.');
      return context.json(refusal(error).reply, 403);
    }
    return next();
  });
  app.use('/rpc', async (context, next) => {
    const given = context.req.header('authorization')?.replace(/^Bearer /, '') ?? '';
    if (same(given, token)) return next();
    const error = new EpsilonError(
      'TOKEN_REQUIRED',
      'Send the token of the state directory as a bearer token.',
    );
    return context.json(refusal(error).reply, 401);
  });
  answerOn(app, () => control, options.self);
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await listen(server, { host: '127.0.0.1', port: options.port });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  allowed = [`127.0.0.1:${port}`, `localhost:${port}`];
  return closing(server, `http://127.0.0.1:${port}`);
}
