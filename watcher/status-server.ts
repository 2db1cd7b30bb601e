import { createServer, type Server } from 'node:http';
import { figuresType } from '../lib/metrics/exposition.ts';
import type { Watcher } from './watcher.ts';

/**
 * Answers the kubelet (`/healthz`: a restart would not help; `/readyz`: it watches or could take over) and Prometheus
 * (`/metrics`); nothing else, and nothing about a tenant.
 */
export function serveStatus(
  watcher: Pick<Watcher, 'healthy' | 'ready' | 'metrics'>,
  port: number,
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.writeHead(watcher.healthy ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(watcher.healthy ? 'ok\n' : 'the API server is silent\n');
    } else if (request.url === '/readyz') {
      response.writeHead(watcher.ready ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(watcher.ready ? 'ok\n' : 'the lease is not reached\n');
    } else if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': figuresType });
      response.end(watcher.metrics());
    } else {
      response.writeHead(404);
      response.end();
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}
