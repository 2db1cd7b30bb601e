import { createServer, type ServerResponse } from 'node:http';
import { environmentVariables } from '../lib/config/environment.ts';
import { Figures, figuresType } from '../lib/metrics/exposition.ts';

/** What a request is answered with: a status, and JSON. */
export interface Answer {
  readonly code: 200 | 400 | 404 | 500 | 503;
  readonly body: object;
}

/** Answers requests to one path by what stands behind its question mark. */
export type Route = (asked: URLSearchParams) => Promise<Answer>;

/** What beside `/` is answered, by path. */
export interface ServingOptions {
  readonly service: string;
  readonly routes?: Readonly<Record<string, Route>>;
}

/** Of ten requests at 0.2 every fifth fails, once so many were answered well. */
function failing(share: number, after: number): (asked: number) => boolean {
  return (asked) => asked >= after && Math.floor((asked + 1) * share) > Math.floor(asked * share);
}

function send(response: ServerResponse, { code, body }: Answer): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function openFigures(): Figures<'http_requests_total'> {
  const figures = new Figures({
    http_requests_total: { kind: 'counter', help: 'Requests that were answered, without probes, by code.' },
  });
  // From 0: the first requests of a new colour are a rise.
  for (const code of ['200', '400', '404', '500', '503']) figures.count('http_requests_total', { code }, 0);
  return figures;
}

/**
 * Serves what manifests, analyses and alerts ask of a serving application: `/health`, `/ready`, `/`, and `/metrics` on a port of its own
 * (`PORT`, `METRICS_PORT`). `FAIL_SHARE` (0 to 1) has `/` answer that share of requests with 500, `FAIL_AFTER` only after so many requests,
 * to try a bad revision.
 */
export function serve({ service, routes = {} }: ServingOptions): void {
  const variables = environmentVariables();
  const fails = failing(Number(variables['FAIL_SHARE'] ?? 0), Number(variables['FAIL_AFTER'] ?? 0));
  const figures = openFigures();
  let asked = 0;
  const home: Route = async () => ({ code: fails(asked) ? 500 : 200, body: { service } });
  const http = createServer(async (request, response) => {
    // "//" is a path that a client may send, and no address.
    const { pathname = '', searchParams = new URLSearchParams() } =
      URL.parse(request.url ?? '/', 'http://here') ?? {};
    if (pathname === '/health' || pathname === '/ready') {
      send(response, { code: 200, body: { service, status: 'ok' } });
      return;
    }
    const route = pathname === '/' ? home : Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    const answer = route ? await route(searchParams) : { code: 404 as const, body: { service } };
    asked += 1;
    figures.count('http_requests_total', { code: String(answer.code) });
    send(response, answer);
  });
  const metrics = createServer((request, response) => {
    if (request.url !== '/metrics') send(response, { code: 404, body: {} });
    else response.writeHead(200, { 'content-type': figuresType }).end(figures.text());
  });
  http.listen(Number(variables['PORT'] ?? 8_080));
  metrics.listen(Number(variables['METRICS_PORT'] ?? 9_090));
  process.once('SIGTERM', () => {
    for (const server of [http, metrics]) {
      server.close();
      server.closeIdleConnections();
    }
  });
}
