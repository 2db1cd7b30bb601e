import type * as Kubernetes from '@kubernetes/client-node';
import { Throttled } from '../errors/run-errors.ts';
import { explainKubernetesError, type KubernetesCall } from './errors.ts';
import type { Transport } from './transport.ts';

/** The client's interfaces that are used here. */
export interface KubernetesApis {
  readonly batch: Kubernetes.BatchV1Api;
  readonly core: Kubernetes.CoreV1Api;
  /** Options of a call whose body is a JSON merge patch. */
  readonly mergePatch: Kubernetes.ConfigurationOptions;
}

/** Typed calls to one API server. */
export interface KubernetesClient {
  /** Calls and explains what the server refuses; `call` names the permission that is needed. */
  call<T>(call: KubernetesCall, work: (apis: KubernetesApis) => Promise<T>): Promise<T>;
  readonly transport: Transport;
}

/** The transport replaces it by the server's own address, which is known only when something is called. */
const placeholder = 'https://kubernetes.invalid';

async function load(transport: Transport): Promise<KubernetesApis> {
  // Here and not on top: the client is large, and most invocations of most functions never touch Kubernetes.
  const client = await import('./lazy/client-node.ts');
  const configuration = client.createConfiguration({
    baseServer: new client.ServerConfiguration(placeholder, {}),
    httpApi: client.wrapHttpLibrary({
      send: async (request) => {
        const body = request.getBody();
        const answer = await transport
          .send({
            method: request.getHttpMethod(),
            path: request.getUrl().slice(placeholder.length),
            headers: request.getHeaders(),
            ...(typeof body === 'string' ? { body } : {}),
          })
          .catch((error: unknown) => {
            throw new Throttled(`Kubernetes does not answer: ${String(error)}`, error);
          });
        return new client.ResponseContext(
          answer.status,
          { ...answer.headers },
          {
            text: async () => answer.body,
            binary: async () => Buffer.from(answer.body),
            stream: () => null,
          },
        );
      },
    }),
  });
  return {
    batch: new client.BatchV1Api(configuration),
    core: new client.CoreV1Api(configuration),
    mergePatch: client.setHeaderOptions('Content-Type', client.PatchStrategy.MergePatch),
  };
}

/** A client over a transport; the library behind it is loaded with the first call. */
export function createKubernetesClient(transport: Transport): KubernetesClient {
  let loaded: Promise<KubernetesApis> | undefined;
  return {
    transport,
    call: async (call, work) => {
      loaded ??= load(transport);
      try {
        return await work(await loaded);
      } catch (error) {
        throw explainKubernetesError(error, call);
      }
    },
  };
}
