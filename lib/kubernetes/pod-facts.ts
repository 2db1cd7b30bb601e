import type {
  V1ContainerState,
  V1ContainerStateTerminated,
  V1Pod,
  V1PodCondition,
} from '@kubernetes/client-node';
import type { JobObservation } from '../training/attempts/job.ts';
import { jobContainer } from './job-labels.ts';

/** Reasons for which the kubelet waits with a container that no other node would start either. */
const cannotStart: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** Reasons the container runtime gives for a process that never was one: no such command, not executable. */
const neverRan: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);

/**
 * Reasons of an end that nobody saw. The kubelet writes ContainerStatusUnknown, with 137, when it does not find the container
 * again (pkg/kubelet/kubelet_pods.go); containerd gives Unknown, with 255, for one that ended while it was away.
 */
const unseen: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

function stateOf(pod: V1Pod | undefined): V1ContainerState | undefined {
  return pod?.status?.containerStatuses?.find(({ name }) => name === jobContainer)?.state;
}

function conditionOf(pod: V1Pod | undefined, type: string): V1PodCondition | undefined {
  return pod?.status?.conditions?.find((condition) => condition.type === type);
}

/** How the job's container ended, if it has. */
export function endOf(pod: V1Pod | undefined): V1ContainerStateTerminated | undefined {
  return stateOf(pod)?.terminated;
}

/** When the job's container was started. */
export function startedAt(pod: V1Pod | undefined): Date | undefined {
  return stateOf(pod)?.terminated?.startedAt ?? stateOf(pod)?.running?.startedAt;
}

/** True once the job's process was started on a node. */
export function hasStarted(pod: V1Pod | undefined): boolean {
  const state = stateOf(pod);
  return state?.running !== undefined || state?.terminated !== undefined;
}

/** Whether an end says nothing of the job: the node had lost sight of the container. */
export function wasUnseen({ reason }: V1ContainerStateTerminated): boolean {
  return unseen.has(reason ?? '');
}

/** Whether the process could not be started at all. */
export function neverBegan({ reason }: V1ContainerStateTerminated): boolean {
  return neverRan.has(reason ?? '');
}

/** What the pod itself says of its end, as `Evicted: Pod ephemeral local storage usage exceeds ...`. */
export function wordsOf(pod: V1Pod | undefined): string | undefined {
  return [pod?.status?.reason, pod?.status?.message].filter(Boolean).join(': ') || undefined;
}

/** Why a job that is not running yet waits, in Kubernetes' own words. */
export function waitingFor(pod: V1Pod | undefined): string | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return scheduled.message ?? scheduled.reason;
  const waiting = stateOf(pod)?.waiting;
  return waiting ? [waiting.reason, waiting.message].filter(Boolean).join(': ') : undefined;
}

/** Why the container of a pod that has its node is not started there, when no node would start it. */
export function unstartable(pod: V1Pod | undefined): JobObservation['unstartable'] {
  const scheduled = conditionOf(pod, 'PodScheduled');
  const waiting = stateOf(pod)?.waiting;
  if (scheduled?.status !== 'True' || !cannotStart.has(waiting?.reason ?? '')) return undefined;
  const since = scheduled.lastTransitionTime ?? pod?.metadata?.creationTimestamp;
  return since ? { why: waitingFor(pod) ?? '', since: since.toISOString() } : undefined;
}
