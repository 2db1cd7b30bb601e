import { readFile } from 'node:fs/promises';
import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterAccess, Endpoint } from './api-server.ts';

/** Where Kubernetes puts a pod's token and the cluster's certificate. */
const folder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Milliseconds a token is used before its file is read again: Kubernetes replaces it long before it runs out. */
const rereadMs = 60_000;

/** What the access of a pod is made of. */
export interface InClusterOptions {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly folder?: string;
}

/** Reaches the API server as the pod's own service account. Error: `NOT_IN_CLUSTER`. */
export function createInClusterAccess({
  variables,
  clock,
  folder: at = folder,
}: InClusterOptions): ClusterAccess {
  const host = variables['KUBERNETES_SERVICE_HOST'];
  const port = variables['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (!host) {
    throw new EpsilonError('NOT_IN_CLUSTER', 'KUBERNETES_SERVICE_HOST is not set: this runs in a pod only.', {
      exitCode: exitCodes.badInput,
    });
  }
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  let endpoint: Promise<Endpoint> | undefined;
  let token: { readonly text: Promise<string>; readonly readAt: number } | undefined;
  return {
    endpoint: () => {
      endpoint ??= readFile(`${at}/ca.crt`, 'utf8').then((ca) => ({ server, ca }));
      return endpoint;
    },
    token: () => {
      if (!token || clock.now() - token.readAt >= rereadMs)
        token = { text: readFile(`${at}/token`, 'utf8').then((text) => text.trim()), readAt: clock.now() };
      return token.text;
    },
    refresh: () => {
      token = undefined;
      endpoint = undefined;
    },
  };
}
