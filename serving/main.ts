import { createServer, type ServerResponse } from 'node:http';
import { environmentVariables } from '../lib/config/environment.ts';
import { Figures, figuresType } from '../lib/metrics/exposition.ts';

/**
 * The smallest stand-in for a serving application (backend-api, ml-engine): what manifests, analyses and alerts ask of one. The real ones
 * are the customer's. `FAIL_SHARE` (0 to 1) has it answer that share of requests with 500, `FAIL_AFTER` only after so many requests, to
 * try a bad revision.
 */
const {
  SERVICE: service = 'backend-api',
  FAIL_SHARE: failing = '0',
  FAIL_AFTER: wellFor = '0',
  PORT: httpPort = '8080',
  METRICS_PORT: metricsPort = '9090',
} = environmentVariables();
const failShare = Number(failing);
const wellRequests = Number(wellFor);

const figures = new Figures({
  http_requests_total: { kind: 'counter', help: 'Requests that were answered, without probes, by code.' },
});
// From 0: the first requests of a new colour are a rise.
for (const code of ['200', '404', '500']) figures.count('http_requests_total', { code }, 0);

let asked = 0;
/** Evenly: of ten requests at 0.2 every fifth fails. */
const fails = () =>
  asked >= wellRequests && Math.floor((asked + 1) * failShare) > Math.floor(asked * failShare);

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

const http = createServer((request, response) => {
  if (request.url === '/health' || request.url === '/ready') {
    answer(response, 200, { service, status: 'ok' });
    return;
  }
  const code = request.url === '/' ? (fails() ? 500 : 200) : 404;
  asked += 1;
  figures.count('http_requests_total', { code: String(code) });
  answer(response, code, { service });
});

const metrics = createServer((request, response) => {
  if (request.url !== '/metrics') answer(response, 404, {});
  else response.writeHead(200, { 'content-type': figuresType }).end(figures.text());
});

http.listen(Number(httpPort));
metrics.listen(Number(metricsPort));
process.once('SIGTERM', () => {
  for (const server of [http, metrics]) {
    server.close();
    server.closeIdleConnections();
  }
});
