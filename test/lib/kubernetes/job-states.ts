import type { V1Job, V1Pod } from '@kubernetes/client-node';

/** When everything of these jobs and pods happened. */
export const at = new Date('2026-11-24T03:00:00Z');

/** What a Job of the tests is like. */
export interface JobIs {
  readonly condition?: { readonly type: string; readonly reason?: string; readonly message?: string };
  readonly stopReason?: string;
  readonly ready?: number;
}

/** A Job as the API server would show it. */
export function aJob({ condition, stopReason, ready = 0 }: JobIs = {}): V1Job {
  return {
    metadata: {
      name: 'acme-train-1',
      uid: 'uid-1',
      creationTimestamp: at,
      labels: { 'epsilon/capacity': 'spot' },
      annotations: stopReason === undefined ? {} : { 'epsilon/stop-reason': stopReason },
    },
    spec: {
      activeDeadlineSeconds: 43_200,
      template: { spec: { containers: [{ name: 'job', resources: { limits: { memory: '8192Mi' } } }] } },
    },
    status: {
      ready,
      conditions: condition ? [{ status: 'True', lastTransitionTime: at, ...condition }] : [],
    },
  };
}

/** What a pod of the tests is like. */
export interface PodIs {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly scheduled?: 'True' | 'False';
  readonly podMessage?: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly running?: boolean;
  readonly disrupted?: string;
  readonly podReason?: string;
}

/** Its pod. */
export function aPod({
  exitCode,
  reason,
  message,
  running,
  disrupted,
  podReason,
  podMessage,
  waiting = { reason: 'ContainerCreating' },
  scheduled,
}: PodIs = {}): V1Pod {
  const state =
    exitCode === undefined
      ? running
        ? { running: { startedAt: at } }
        : { waiting }
      : {
          terminated: {
            exitCode,
            startedAt: at,
            finishedAt: at,
            ...(reason ? { reason } : {}),
            ...(message ? { message } : {}),
          },
        };
  return {
    metadata: { name: 'pod-1', creationTimestamp: at },
    status: {
      phase:
        exitCode === undefined ? (running ? 'Running' : 'Pending') : exitCode === 0 ? 'Succeeded' : 'Failed',
      ...(podReason ? { reason: podReason, message: podMessage ?? `${podReason} says the node` } : {}),
      conditions: [
        ...(disrupted
          ? [{ type: 'DisruptionTarget', status: 'True', reason: disrupted, message: 'the node goes' }]
          : []),
        ...(scheduled
          ? [{ type: 'PodScheduled', status: scheduled, message: 'Insufficient cpu', lastTransitionTime: at }]
          : []),
      ],
      containerStatuses: [{ name: 'job', image: 'x', imageID: 'x', ready: false, restartCount: 0, state }],
    },
  };
}
