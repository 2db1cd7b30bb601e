import { expect } from 'vitest';
import type { JobIs, PodIs } from './job-states.ts';

const failed = (reason: string, message = '') => ({ type: 'Failed', reason, message });
const limit = failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
const deadline = failed('DeadlineExceeded', 'Job was active longer than specified deadline');
const disruption = failed(
  'PodFailurePolicy',
  'Pod ml-jobs/pod-1 has condition DisruptionTarget matching FailJob rule at index 0',
);
const rejected = failed(
  'PodFailurePolicy',
  'Container job for pod ml-jobs/pod-1 failed with exit code 65 matching FailJob rule at index 1',
);

/** A failed Job, its pods, what is observed of it, and its attempt's status. */
export type Row = [what: string, job: JobIs, pods: PodIs[], expected: object, outcome: string];

/** How jobs end. */
export const endings: Row[] = [
  ['its own failure', { condition: limit }, [{ exitCode: 1 }], { reason: 'error', exitCode: 1 }, 'failed'],
  ['wrong input', { condition: rejected }, [{ exitCode: 65 }], { reason: 'error', exitCode: 65 }, 'rejected'],
  ['wrong input, its pod gone', { condition: rejected }, [], { reason: 'error', exitCode: 65 }, 'rejected'],
  ['"try again"', { condition: limit }, [{ exitCode: 75 }], { reason: 'error', exitCode: 75 }, 'failed'],
  [
    'too little memory',
    { condition: limit },
    [{ exitCode: 137, reason: 'OOMKilled' }],
    { reason: 'error', exitCode: 137, message: expect.stringContaining('8192Mi') },
    'failed',
  ],
  [
    'F15: a reclaim with notice: checkpointed, 143, and the condition says why',
    { condition: disruption },
    [{ exitCode: 143, disrupted: 'TerminationByKubelet' }],
    { reason: 'preempted', message: 'TerminationByKubelet: the node goes' },
    'preempted',
  ],
  [
    'a reclaim whose job still ended as if its input were wrong',
    { condition: disruption },
    [{ exitCode: 70, disrupted: 'EvictionByEvictionAPI' }],
    { reason: 'preempted', exitCode: 70 },
    'preempted',
  ],
  [
    'F16: a reclaim without notice: no pod, no code',
    { condition: disruption },
    [],
    { reason: 'preempted' },
    'preempted',
  ],
  [
    'a SIGTERM from somebody else',
    { condition: limit },
    [{ exitCode: 143 }],
    { reason: 'preempted' },
    'preempted',
  ],
  [
    'its deadline',
    { condition: deadline },
    [{ exitCode: 143 }],
    { reason: 'timeout', exitCode: 143 },
    'failed',
  ],
  [
    'our cancellation',
    { condition: deadline, stopReason: 'the execution ended' },
    [{ exitCode: 143 }],
    { reason: 'cancelled', message: 'the execution ended' },
    'cancelled',
  ],
  [
    'our cancellation of one that would not leave',
    { condition: deadline, stopReason: 'the execution ended' },
    [{ exitCode: 137 }],
    { reason: 'cancelled' },
    'cancelled',
  ],
  [
    'our cancellation of one whose node went before it had left',
    { condition: disruption, stopReason: 'the execution ended' },
    [],
    { reason: 'cancelled', message: 'the execution ended' },
    'cancelled',
  ],
  [
    'our vacating of an instance',
    { condition: deadline, stopReason: 'preempted: the instance goes' },
    [{ exitCode: 143 }],
    { reason: 'preempted' },
    'preempted',
  ],
  [
    'our giving up of its placement',
    { condition: deadline, stopReason: 'unplaceable: no node' },
    [],
    { reason: 'unplaceable' },
    'preempted',
  ],
  [
    'its own failure while we were stopping it',
    { condition: limit, stopReason: 'the execution ended' },
    [{ exitCode: 1 }],
    { reason: 'error', exitCode: 1 },
    'failed',
  ],
  [
    'eviction for its own use of the disk',
    { condition: limit },
    [{ podReason: 'Evicted' }],
    { reason: 'error', message: expect.stringContaining('Evicted') },
    'failed',
  ],
  [
    'eviction for its own use of the disk, after its container was killed: the sentence of the kubelet stays',
    { condition: limit },
    [{ exitCode: 137, podReason: 'Evicted', podMessage: 'Pod ephemeral local storage usage exceeds 10Gi' }],
    { reason: 'error', exitCode: 137, message: 'Evicted: Pod ephemeral local storage usage exceeds 10Gi' },
    'failed',
  ],
  [
    'eviction for its own use of the disk, by a kubelet that no longer saw the container',
    { condition: limit },
    [
      {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        podReason: 'Evicted',
        podMessage: 'usage exceeds 10Gi',
      },
    ],
    { reason: 'error', message: 'Evicted: usage exceeds 10Gi' },
    'failed',
  ],
  [
    'a container that its kubelet did not find again',
    { condition: limit },
    [{ exitCode: 137, reason: 'ContainerStatusUnknown', message: 'could not be located' }],
    { reason: 'lost', message: expect.stringContaining('ContainerStatusUnknown') },
    'lost',
  ],
  [
    'a container that ended while containerd was away',
    { condition: limit },
    [{ exitCode: 255, reason: 'Unknown' }],
    { reason: 'lost' },
    'lost',
  ],
  [
    'its own exit with 255 and 137',
    { condition: limit },
    [{ exitCode: 255, reason: 'Error' }],
    { reason: 'error', exitCode: 255 },
    'failed',
  ],
  [
    'a command that does not exist in its image',
    { condition: limit },
    [{ exitCode: 128, reason: 'StartError', message: 'exec: "train": not found' }],
    { reason: 'unstartable', message: expect.stringContaining('"train": not found') },
    'failed',
  ],
  [
    'its deadline, never placed',
    { condition: deadline },
    [{ scheduled: 'False' }],
    {
      reason: 'unplaceable',
      message: expect.stringContaining('not started within 43200 seconds (Insufficient cpu'),
    },
    'preempted',
  ],
  [
    'its deadline, placed where its image was not found',
    { condition: deadline },
    [{ scheduled: 'True', waiting: { reason: 'ImagePullBackOff' } }],
    { reason: 'unstartable', message: expect.stringContaining('ImagePullBackOff') },
    'failed',
  ],
  [
    'its deadline, its pod gone: nobody knows whether it had begun',
    { condition: deadline },
    [],
    { reason: 'timeout' },
    'failed',
  ],
  [
    'our stop of one that could not start',
    { condition: deadline, stopReason: 'unstartable: ImagePullBackOff: not found' },
    [],
    { reason: 'unstartable' },
    'failed',
  ],
  ['F12: a pod that vanished', { condition: limit }, [], { reason: 'lost' }, 'lost'],
  ['a node that refused it', { condition: limit }, [{ podReason: 'OutOfcpu' }], { reason: 'lost' }, 'lost'],
];
