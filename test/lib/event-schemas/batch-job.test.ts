import { describe, expect, it } from 'vitest';
import {
  type BatchJob,
  batchJobSchema,
  identityOfBatchJob,
  markedStopReason,
  observationOfBatchJob,
} from '../../../lib/event-schemas/batch-job.ts';
import { outcomeOfJob } from '../../../lib/training/attempts/outcome.ts';
import { preemptionReason, unplaceableReason } from '../../../lib/training/attempts/stop-reason.ts';

const job = (over: Partial<BatchJob> = {}): BatchJob => ({
  jobId: '4c7599ae',
  jobName: 'acme-train-1',
  status: 'RUNNING',
  ...over,
});

const failed = (statusReason: string, exitCode?: number, reason?: string, flags: Partial<BatchJob> = {}) =>
  observationOfBatchJob(
    job({
      status: 'FAILED',
      statusReason,
      container: {
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(reason === undefined ? {} : { reason }),
      },
      ...flags,
    }),
  );

describe('a Batch job as an observation', () => {
  it.each([
    ['SUBMITTED', 'pending'],
    ['PENDING', 'pending'],
    ['RUNNABLE', 'pending'],
    ['STARTING', 'pending'],
    ['RUNNING', 'running'],
    ['SUCCEEDED', 'succeeded'],
    ['FAILED', 'failed'],
    ['SOMETHING_NEW', 'pending'],
  ])('a Batch job that is %s is observed as %s', (status, state) => {
    expect(observationOfBatchJob(job({ status })).state).toBe(state);
  });

  it('an observed Batch job has instants only of what has happened', () => {
    expect(observationOfBatchJob(job({ createdAt: 1_700_000_000_000, startedAt: 0 }))).toEqual({
      jobName: 'acme-train-1',
      jobId: '4c7599ae',
      state: 'running',
      submittedAt: '2023-11-14T22:13:20.000Z',
    });
    expect(
      observationOfBatchJob(
        job({ status: 'SUCCEEDED', startedAt: 1_700_000_001_000, stoppedAt: 1_700_000_002_000 }),
      ),
    ).toEqual({
      jobName: 'acme-train-1',
      jobId: '4c7599ae',
      state: 'succeeded',
      reason: 'completed',
      exitCode: 0,
      startedAt: '2023-11-14T22:13:21.000Z',
      finishedAt: '2023-11-14T22:13:22.000Z',
    });
  });

  it.each([
    ['the host goes', failed('Host EC2 (instance i-0abc) terminated.'), 'preempted', 'preempted'],
    [
      'the host goes after SIGTERM',
      failed('Host EC2 (instance i-0abc) terminated.', 143),
      'preempted',
      'preempted',
    ],
    ['it is told to stop', failed('Essential container in task exited', 143), 'preempted', 'preempted'],
    [
      'it takes too long',
      failed('Job attempt duration exceeded timeout', 137, undefined, { isTerminated: true }),
      'timeout',
      'failed',
    ],
    [
      'its queue gives up on it',
      failed(
        'Canceled by JobStateTimeLimit action due to reason: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
        undefined,
        undefined,
        { isCancelled: true },
      ),
      'unplaceable',
      'preempted',
    ],
    [
      'we move it',
      failed(markedStopReason(preemptionReason('the node goes')), 143),
      'preempted',
      'preempted',
    ],
    [
      'we give up on placing it',
      failed(markedStopReason(unplaceableReason('no capacity'))),
      'unplaceable',
      'preempted',
    ],
    ['we cancel it', failed(markedStopReason('execution ABORTED'), 143), 'cancelled', 'cancelled'],
    [
      'an operator terminates it',
      failed('stopped by hand', 143, undefined, { isTerminated: true }),
      'cancelled',
      'cancelled',
    ],
    ['it fails', failed('Essential container in task exited', 1), 'error', 'failed'],
    ['it wants another try', failed('Essential container in task exited', 75), 'error', 'failed'],
    ['its input is wrong', failed('Essential container in task exited', 65), 'error', 'rejected'],
    [
      'memory runs out',
      failed(
        'Essential container in task exited',
        137,
        'OutOfMemoryError: Container killed due to memory usage',
      ),
      'error',
      'failed',
    ],
    ['it is killed', failed('Essential container in task exited', 137), 'error', 'failed'],
    [
      'its image cannot be had',
      failed('Task failed to start', undefined, 'CannotPullContainerError: manifest unknown'),
      'unstartable',
      'failed',
    ],
    [
      'its registry refuses its image',
      failed(
        'Task failed to start',
        undefined,
        'CannotPullContainerError: pull access denied for x, repository does not exist',
      ),
      'unstartable',
      'failed',
    ],
    [
      'its command does not exist',
      failed('Task failed to start', undefined, 'CannotStartContainerError: exec: "x": not found'),
      'unstartable',
      'failed',
    ],
    [
      'its registry does not answer',
      failed(
        'Task failed to start',
        undefined,
        'CannotPullContainerError: Get "https://x": net/http: request canceled (Client.Timeout exceeded)',
      ),
      'lost',
      'lost',
    ],
    [
      "its instance's disk is full",
      failed('Task failed to start', undefined, 'CannotPullContainerError: no space left on device'),
      'lost',
      'lost',
    ],
    [
      'its instance cannot make a container',
      failed('Task failed to start', undefined, 'CannotCreateContainerError: API error (500)'),
      'lost',
      'lost',
    ],
    ['nobody says why', failed(''), 'error', 'failed'],
  ])('the reason of a Batch job is right when %s', (_, observed, reason, status) => {
    expect(observed).toMatchObject({ state: 'failed', reason });
    expect(observed.message).toBeTruthy();
    expect(outcomeOfJob({ ...observed, state: 'failed' }).status).toBe(status);
  });

  it('the message of a failed Batch job is for people', () => {
    expect(failed('Essential container in task exited', 1).message).toBe('it exited with 1');
    expect(
      failed(
        'Essential container in task exited',
        137,
        'OutOfMemoryError: Container killed due to memory usage',
      ).message,
    ).toContain('ran out of memory');
    expect(
      failed('Task failed to start', undefined, 'CannotPullContainerError: manifest unknown').message,
    ).toContain('CannotPullContainerError');
  });
});

describe('the owner of a job', () => {
  const variables = {
    EPSILON_RUN_ID: 'acme-1',
    EPSILON_TRAINING_STAGE: 'train',
    EPSILON_ATTEMPT: '2',
    EPSILON_OUTPUT: 's3://data-bucket/acme/runs/acme-1/train/2/',
    EPSILON_TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-0af7651916cd43dd-01',
  };
  const of = (over: Record<string, string | undefined>) =>
    identityOfBatchJob(
      job({
        container: {
          environment: Object.entries({ ...variables, ...over }).flatMap(([name, value]) =>
            value === undefined ? [] : [{ name, value }],
          ),
        },
      }),
    );

  it('the attempt of a Batch job is in its environment variables', () => {
    expect(of({})).toEqual({
      runId: 'acme-1',
      stage: 'train',
      attempt: 2,
      outputUri: 's3://data-bucket/acme/runs/acme-1/train/2/',
      traceId: '0af7651916cd43dd8448eb211c80319c',
    });
  });

  it.each([
    { EPSILON_RUN_ID: undefined },
    { EPSILON_TRAINING_STAGE: 'compile' },
    { EPSILON_ATTEMPT: '0' },
    { EPSILON_ATTEMPT: 'two' },
    { EPSILON_OUTPUT: undefined },
  ])('a Batch job belongs to no attempt with %j', (over) => {
    expect(of(over)).toBeUndefined();
  });

  it('F7: a Batch job is read although Batch adds fields', () => {
    const detail = { ...job(), brandNew: { deep: true }, container: { environment: [], gpu: 1 } };
    expect(batchJobSchema.parse(detail)).toEqual({ ...job(), container: { environment: [] } });
    expect(identityOfBatchJob(job())).toBeUndefined();
  });
});
