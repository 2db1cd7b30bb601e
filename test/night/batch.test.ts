import { BatchClient } from '@aws-sdk/client-batch';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../local/clock/seeded-random.ts';
import { sdkError } from '../aws/batch-stand-in.ts';
import { type BatchNight, openBatchNight } from './batch-night.ts';

const mock = mockClient(BatchClient);
let night: BatchNight;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
  mock.reset();
});

const minute = 60_000;
const blocked = 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested';
const stagesInOrder = ['prepare', 'train', 'index', 'deploy', 'cache'];
const capacityOf = (queue: string | undefined) =>
  queue === 'local:BatchSpotQueueArn' ? 'spot' : 'on-demand';

async function open(options: Parameters<typeof openBatchNight>[1] = {}): Promise<BatchNight> {
  night = await openBatchNight(mock, options);
  await night.add('acme');
  return night;
}

const jobsPerStage = () => stagesInOrder.map((stage) => night.jobsOf(stage).length);
const attemptsOf = async (stage: string) =>
  (await night.runtime.control.runs.listAttempts('acme-manual')).filter((one) => one.stage === stage);

describe('a tenant on Batch', () => {
  it('is trained by events alone, one job per stage, with the digests its run began with', async () => {
    await open({ schedules: false });
    expect(await night.until(await night.train('acme'))).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'succeeded', tenantId: 'acme', vectors: 12 },
    });
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
    const run = await night.runtime.control.runs.getRun('acme-manual');
    const [train] = night.jobsOf('train');
    expect(train?.container?.image).toBe(run?.images['ml-engine']);
    expect(JSON.stringify([...night.batch.jobs.values()])).not.toMatch(/token/i);
    expect(await attemptsOf('train')).toMatchObject([
      { status: 'succeeded', jobId: train?.jobId, exitCode: 0, result: { words: 100 } },
    ]);
  });

  it('costs Batch one call per stage, beside the definitions that are looked up once', async () => {
    await open({ schedules: false });
    await night.until(await night.train('acme'));
    const submissions = night.batch.calls.filter((call) => !call.endsWith('Definitions'));
    expect(submissions.filter((call) => call !== 'RegisterJobDefinition')).toEqual(
      Array(5).fill('SubmitJob'),
    );
  });

  it('F4: whose events are all lost is settled by the reconciler', async () => {
    await open();
    night.batch.deliveries = 0;
    const began = night.clock.now();
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
    expect(night.clock.now() - began).toBeLessThan(8 * minute);
    expect(await attemptsOf('train')).toMatchObject([{ result: { words: 100 } }]);
  });

  it('F5, F6, F7: hears of events twice, late and out of order, and of jobs of others, and nothing changes', async () => {
    await open();
    night.batch.deliveries = 2;
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    const before = await night.runtime.control.runs.listAttempts('acme-manual');
    for (const event of night.events.toReversed()) {
      await night.deliver(event);
      await night.deliver({ ...event, detail: { ...event.detail, jobName: 'of-somebody-else' } });
    }
    await night.settle();
    expect(await night.runtime.control.runs.listAttempts('acme-manual')).toEqual(before);
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
    expect(await night.runtime.metricsText()).toMatch(/job_events_repeated_total [1-9]/);
    expect(await night.runtime.metricsText()).toMatch(/job_events_unknown_total [1-9]/);
  });

  it.each([
    ['F8: dies before Batch hears of it', false, 0],
    ['F9, F10: is accepted but gets no answer', true, 0],
    ['F9, F10: is accepted but gets no answer, while Batch’s list lags', true, 3_000],
  ])('a submission that %s ends in one job', async (_, after, listLagMs) => {
    await open();
    night.batch.listLagMs = listLagMs;
    night.batch.fate = () => ({ seconds: 20 });
    night.batch.fail('SubmitJob', { error: sdkError('TimeoutError', 'no answer'), after });
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
  });

  it('F12: a job that Batch forgets is lost and tried again', async () => {
    await open();
    night.batch.fate = ({ jobName }) => (jobName?.includes('-train-1') ? {} : { seconds: 1 });
    const arn = await night.train('acme');
    await night.advance(2 * minute);
    night.batch.jobs.delete(night.jobsOf('train')[0]?.jobId ?? '');
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect((await attemptsOf('train')).map(({ status }) => status)).toEqual(['lost', 'succeeded']);
  });

  it('F15, F16, F17: reclaimed hosts lead to on-demand after two, and spend nothing of the retries for failures', async () => {
    await open();
    const ends = [
      { seconds: 60, statusReason: 'Host EC2 (instance i-0abc) terminated.' },
      { seconds: 60, exitCode: 143 },
      { seconds: 60, exitCode: 1 },
      { seconds: 60, exitCode: 1 },
      { seconds: 60 },
    ];
    let tries = 0;
    night.batch.fate = ({ jobName }) => {
      if (!jobName?.includes('-train-')) return { seconds: 1 };
      tries += 1;
      return ends[tries - 1] ?? { seconds: 1 };
    };
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(night.jobsOf('train').map(({ jobQueue }) => capacityOf(jobQueue))).toEqual([
      'spot',
      'spot',
      'on-demand',
      'on-demand',
      'on-demand',
    ]);
    expect((await attemptsOf('train')).map(({ status }) => status)).toEqual([
      'preempted',
      'preempted',
      'failed',
      'failed',
      'succeeded',
    ]);
  });

  it('F18: that no kind of capacity takes fails in bounded time, with Batch’s words, and its model stays', async () => {
    await open();
    await night.until(await night.train('acme', 'first'));
    const live = await night.runtime.control.models.live('acme');
    night.batch.fate = () => ({ notPlaced: { statusReason: blocked } });
    const began = night.clock.now();
    expect(await night.until(await night.train('acme'))).toMatchObject({
      status: 'FAILED',
      error: 'JobPreempted',
      cause: expect.stringContaining('INSUFFICIENT_INSTANCE_CAPACITY'),
    });
    expect(night.clock.now() - began).toBeLessThan(8 * 60 * minute);
    expect(night.batch.live()).toEqual([]);
    const queues = new Set(night.jobsOf('prepare').map(({ jobQueue }) => capacityOf(jobQueue)));
    expect(queues).toEqual(new Set(['spot', 'on-demand']));
    expect(await night.runtime.control.models.live('acme')).toEqual(live);
  });

  it.each([
    [
      'is moved when Batch says that no capacity is to be had, although others run',
      { statusReason: blocked },
      true,
    ],
    ['waits on when Batch says nothing: others run, so it is not its turn', {}, false],
  ])('F17: that is not placed %s', async (_, notPlaced, moved) => {
    await open();
    await night.add('beta');
    night.batch.fate = ({ jobName }) => (jobName?.startsWith('acme') ? { notPlaced } : {});
    await night.train('beta');
    await night.train('acme');
    await night.advance(40 * minute);
    expect((await attemptsOf('prepare')).some(({ reason }) => reason === 'unplaceable')).toBe(moved);
  });

  it('F19: is submitted again within seconds of a refusal, however far Batch’s lists lag', async () => {
    await open();
    night.batch.listLagMs = 10 * minute;
    night.batch.fail('SubmitJob', ...Array.from({ length: 3 }, () => sdkError('TooManyRequestsException')));
    const began = night.clock.now();
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(night.clock.now() - began).toBeLessThan(2 * minute);
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
  });

  it('F19: is trained through bursts of throttling on every call, still with one job per stage', async () => {
    await open();
    const random = seededRandom(11);
    // One stage's entries meet at most seven of them: its retrier has eight tries, and the SDK's own come before.
    for (const [action, longest] of Object.entries({ SubmitJob: 4, ListJobs: 2, DescribeJobs: 9 }))
      night.batch.fail(
        action,
        ...Array.from({ length: 1 + Math.floor(random() * longest) }, () =>
          sdkError('TooManyRequestsException', 'slow down', 429),
        ),
      );
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
  });

  it('F20: that may not submit fails at once, naming action and resource', async () => {
    await open();
    night.batch.fail('SubmitJob', sdkError('AccessDeniedException', 'no', 403));
    const began = night.clock.now();
    expect(await night.until(await night.train('acme'))).toMatchObject({
      status: 'FAILED',
      cause: expect.stringMatching(/batch:SubmitJob on local:BatchSpotQueueArn is not allowed/),
    });
    expect(night.clock.now() - began).toBeLessThan(minute);
    expect(night.batch.jobs.size).toBe(0);
  });

  it('F22: whose heartbeats stay away is entered again, adopts its job and keeps it', async () => {
    await open({ schedules: false });
    night.batch.deliveries = 0;
    night.batch.fate = ({ jobName }) => ({ seconds: jobName?.includes('-train-') ? 2_000 : 1 });
    expect(await night.until(await night.train('acme'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
  });

  it('F23: whose execution is stopped has its job terminated within a minute', async () => {
    await open();
    night.batch.fate = () => ({});
    const arn = await night.train('acme');
    await night.advance(2 * minute);
    expect(night.batch.live()).toHaveLength(1);
    const stopped = night.clock.now();
    await night.runtime.control.workflows.stop(arn, { error: 'Stopped', cause: 'by hand' });
    await night.settle();
    expect(night.batch.live()).toEqual([]);
    expect(night.clock.now() - stopped).toBeLessThan(minute);
    expect(night.jobsOf('prepare')[0]).toMatchObject({
      status: 'FAILED',
      statusReason: 'cancelled: execution ABORTED',
    });
    expect(await night.runtime.control.runs.getRun('acme-manual')).toMatchObject({ status: 'aborted' });
    expect(await night.runtime.ports.leases.get('acme')).toBeUndefined();
  });

  it('F44: outlives restarts of its control plane, which forget what they had submitted', async () => {
    await open();
    night.batch.fate = () => ({ seconds: 3 });
    const arn = await night.train('acme');
    for (let restarts = 0; restarts < 10; restarts += 1) {
      await night.advance(700);
      await night.restart();
    }
    expect(await night.until(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(jobsPerStage()).toEqual([1, 1, 1, 1, 1]);
  });
});
