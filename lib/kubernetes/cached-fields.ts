import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { jobAnnotations, jobContainer } from './job-labels.ts';

const usedConditions: ReadonlySet<string> = new Set(['PodScheduled', 'DisruptionTarget']);

const keptAnnotations: ReadonlySet<string> = new Set(Object.values(jobAnnotations));

const ours = (values: Record<string, string> | undefined, keep: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(values ?? {}).filter(([name]) => keep(name)));

/** The parts of a Job that `observeJob` and `jobFactsOf` read: a twentieth of what the API server sends. */
export function slimJob({ metadata, spec, status }: V1Job): V1Job {
  const limits = spec?.template.spec?.containers[0]?.resources?.limits;
  return {
    metadata: {
      name: metadata?.name ?? '',
      uid: metadata?.uid ?? '',
      ...(metadata?.creationTimestamp ? { creationTimestamp: metadata.creationTimestamp } : {}),
      labels: ours(metadata?.labels, (name) => name.startsWith('epsilon/')),
      annotations: ours(metadata?.annotations, (name) => keptAnnotations.has(name)),
    },
    spec: {
      ...(spec?.activeDeadlineSeconds === undefined
        ? {}
        : { activeDeadlineSeconds: spec.activeDeadlineSeconds }),
      template: {
        spec: { containers: [{ name: jobContainer, ...(limits ? { resources: { limits } } : {}) }] },
      },
    },
    status: {
      ...(status?.ready === undefined ? {} : { ready: status.ready }),
      ...(status?.completionTime ? { completionTime: status.completionTime } : {}),
      conditions: status?.conditions ?? [],
    },
  };
}

/** The parts of a pod that `observeJob` reads. */
export function slimPod({ metadata, status }: V1Pod): V1Pod {
  const container = status?.containerStatuses?.find(({ name }) => name === jobContainer);
  return {
    metadata: {
      name: metadata?.name ?? '',
      ...(metadata?.creationTimestamp ? { creationTimestamp: metadata.creationTimestamp } : {}),
    },
    status: {
      ...(status?.phase === undefined ? {} : { phase: status.phase }),
      ...(status?.reason === undefined ? {} : { reason: status.reason }),
      ...(status?.message === undefined ? {} : { message: status.message }),
      conditions: (status?.conditions ?? []).filter(({ type }) => usedConditions.has(type)),
      ...(container ? { containerStatuses: [{ ...container, state: container.state ?? {} }] } : {}),
    },
  };
}
