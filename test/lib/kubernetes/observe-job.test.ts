import { describe, expect, it } from 'vitest';
import { slimJob, slimPod } from '../../../lib/kubernetes/cached-fields.ts';
import { observeJob } from '../../../lib/kubernetes/observe-job.ts';
import { outcomeOfJob } from '../../../lib/training/attempts/outcome.ts';
import { endings } from './job-endings.ts';
import { aJob, aPod, at, type JobIs, type PodIs } from './job-states.ts';

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
