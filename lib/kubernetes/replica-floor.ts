import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { Throttled } from '../errors/run-errors.ts';
import type { Floor, ReplicaFloor } from '../ports/serving/replica-floor.ts';
import { explainKubernetesError, type KubernetesCall } from './errors.ts';
import type { Answer, Transport } from './transport.ts';

/** Who these fields belong to: `minReplicas` and our annotations, nothing else. */
const fieldManager = 'epsilon-scaling';

/** Annotations of the autoscaler: what is set is on record where it is set, by the same write. */
const annotations = {
  raisedAt: 'epsilon/raised-at',
  expiresAt: 'epsilon/expires-at',
  because: 'epsilon/because',
} as const;

/** Names an autoscaler. */
export interface AutoscalerName {
  readonly namespace: string;
  readonly name: string;
}

/** The parts of an autoscaler that are read. */
interface Autoscaler {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly minReplicas?: number };
}

function floorOf(body: string): Floor {
  const { metadata, spec } = JSON.parse(body) as Autoscaler;
  const noted = Object.entries(annotations).flatMap(([key, name]) => {
    const value = metadata?.annotations?.[name];
    return value === undefined ? [] : [[key, value] as const];
  });
  // Kubernetes keeps one replica where none are named.
  return { minReplicas: spec?.minReplicas ?? 1, ...Object.fromEntries(noted) };
}

/** `minReplicas` of a HorizontalPodAutoscaler, by server-side apply. */
export function hpaReplicaFloor(transport: Transport, autoscaler: AutoscalerName): ReplicaFloor {
  const { namespace, name } = autoscaler;
  const path = `/apis/autoscaling/v2/namespaces/${encodeURIComponent(namespace)}/horizontalpodautoscalers/${encodeURIComponent(name)}`;

  async function ask(verb: KubernetesCall['verb'], send: () => Promise<Answer>): Promise<Answer | undefined> {
    const answer = await send().catch((error: unknown) => {
      throw new Throttled(`Kubernetes does not answer: ${String(error)}`, error);
    });
    if (answer.status === 404) return undefined;
    if (answer.status >= 200 && answer.status < 300) return answer;
    const failure = Object.assign(new Error(`status ${answer.status}`), {
      code: answer.status,
      body: answer.body,
    });
    throw explainKubernetesError(failure, {
      verb,
      resource: 'horizontalpodautoscalers.autoscaling',
      namespace,
    });
  }

  const look = () =>
    ask('get', () => transport.send({ method: 'GET', path, headers: { accept: 'application/json' } }));

  return {
    async current() {
      const answer = await look();
      return answer && floorOf(answer.body);
    },
    async set({ minReplicas, ...noted }) {
      const body = JSON.stringify({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: {
          name,
          namespace,
          annotations: Object.fromEntries(
            Object.entries(annotations).flatMap(([key, annotation]) => {
              const value = noted[key as keyof typeof noted];
              return value === undefined ? [] : [[annotation, value]];
            }),
          ),
        },
        spec: { minReplicas },
      });
      // Forced: git names a minimum for the creation, so that its applier owns the field until we take it.
      const query = `fieldManager=${fieldManager}&force=true`;
      // An apply would create what is not there.
      const found = await look();
      const set =
        found &&
        (await ask('patch', () =>
          transport.send({
            method: 'PATCH',
            path: `${path}?${query}`,
            headers: { accept: 'application/json', 'content-type': 'application/apply-patch+yaml' },
            body,
          }),
        ));
      if (!set)
        throw new EpsilonError(
          'AUTOSCALER_NOT_FOUND',
          `There is no HorizontalPodAutoscaler ${namespace}/${name} ("scaling.autoscaler" in infra/config).`,
          { exitCode: exitCodes.backend },
        );
    },
  };
}
