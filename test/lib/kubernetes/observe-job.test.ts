import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { slimJob, slimPod } from '../../../lib/kubernetes/cached-fields.ts';
import { observeJob } from '../../../lib/kubernetes/observe-job.ts';
import { outcomeOfJob } from '../../../lib/training/attempts/outcome.ts';

const at = new Date('2026-11-24T03:00:00Z');

interface JobIs {
  readonly condition?: { readonly type: string; readonly reason?: string; readonly message?: string };
  readonly stopReason?: string;
  readonly ready?: number;
}

function aJob({ condition, stopReason, ready = 0 }: JobIs = {}): V1Job {
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

interface PodIs {
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

function aPod({
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

type Row = [what: string, job: JobIs, pods: PodIs[], expected: object, outcome: string];

const endings: Row[] = [
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

describe('a failed Job', () => {
  it.each(endings)('%s', (_what, job, pods, expected, status) => {
    const seen = observeJob(aJob(job), pods.map(aPod));
    expect(seen).toMatchObject({
      state: 'failed',
      finishedAt: at.toISOString(),
      capacity: 'spot',
      ...expected,
    });
    expect(outcomeOfJob({ ...seen, state: 'failed' }).status).toBe(status);
  });

  it.each(endings)('says the same when only what is read of it was kept: %s', (_what, job, pods) => {
    const whole = observeJob(aJob(job), pods.map(aPod));
    expect(
      observeJob(
        slimJob(aJob(job)),
        pods.map((pod) => slimPod(aPod(pod))),
      ),
    ).toEqual(whole);
  });
});

describe('a Job that did not fail', () => {
  const complete = { type: 'Complete', reason: 'CompletionsReached' };

  it('hands over the result that it wrote', () => {
    const seen = observeJob(aJob({ condition: complete }), [aPod({ exitCode: 0, message: '{"words":100}' })]);
    expect(seen).toMatchObject({
      state: 'succeeded',
      reason: 'completed',
      exitCode: 0,
      result: { words: 100 },
    });
  });

  it.each(['', 'not json', '[1]', '"text"', 'null'])('has no result when it wrote %j', (message) => {
    const seen = observeJob(aJob({ condition: complete }), [aPod({ exitCode: 0, message })]);
    expect(seen.state).toBe('succeeded');
    expect(seen.result).toBeUndefined();
  });

  it('F13: that was started twice is told by the pod that did the work', () => {
    const first = aPod({ exitCode: 0, message: '{"by":"first"}' });
    const second = {
      ...aPod({ exitCode: 1 }),
      metadata: { name: 'pod-2', creationTimestamp: new Date(at.getTime() + 1) },
    };
    for (const pods of [
      [first, second],
      [second, first],
    ])
      expect(observeJob(aJob({ condition: complete }), pods).result).toEqual({ by: 'first' });
  });

  it.each(['FailureTarget', 'SuccessCriteriaMet'])(
    'is not over while only %s is said: a pod may still run',
    (type) => {
      expect(observeJob(aJob({ condition: { type } }), [aPod({ running: true })]).state).toBe('running');
    },
  );

  it.each([
    ['pending', 'no pod yet', {}, []],
    ['pending', 'its container is being made', {}, [{}]],
    ['running', 'its container runs', {}, [{ running: true }]],
    ['running', 'its pods were not asked for', { ready: 1 }, []],
  ] as [string, string, JobIs, PodIs[]][])('is %s: %s', (state, _why, job, pods) => {
    expect(observeJob(aJob(job), pods.map(aPod)).state).toBe(state);
  });

  it.each([
    'ErrImagePull',
    'ImagePullBackOff',
    'InvalidImageName',
    'CreateContainerConfigError',
    'CreateContainerError',
  ])('has its node and says since when %s keeps it from starting there', (reason) => {
    const pod = aPod({ scheduled: 'True', waiting: { reason, message: 'the words' } });
    const seen = observeJob(aJob(), [pod]);
    expect(seen).toMatchObject({
      state: 'pending',
      unstartable: { why: `${reason}: the words`, since: at.toISOString() },
    });
    expect(observeJob(slimJob(aJob()), [slimPod(pod)])).toEqual(seen);
  });

  it.each([
    ['its container is being made', { scheduled: 'True' }],
    ['it has no node', { scheduled: 'False', waiting: { reason: 'ImagePullBackOff' } }],
    ['it runs', { scheduled: 'True', running: true }],
  ] as [string, PodIs][])('could still start: %s', (_why, pod) => {
    expect(observeJob(aJob(), [aPod(pod)]).unstartable).toBeUndefined();
  });

  it('says why it waits', () => {
    const pod = aPod();
    const waiting = {
      ...pod,
      status: {
        ...pod.status,
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/3 nodes are available',
          },
        ],
      },
    };
    expect(observeJob(aJob(), [waiting])).toMatchObject({
      state: 'pending',
      message: '0/3 nodes are available',
    });
    expect(observeJob(aJob(), [aPod()])).toMatchObject({ message: 'ContainerCreating' });
  });
});
