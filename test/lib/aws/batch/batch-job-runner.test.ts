import { BatchClient, SubmitJobCommand } from '@aws-sdk/client-batch';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { NonRetryingBatchClient } from '../../../../lib/aws/batch/batch-calls.ts';
import { EpsilonError } from '../../../../lib/errors/epsilon-error.ts';
import type { JobObservation } from '../../../../lib/training/attempts/job.ts';
import { preemptionReason, unplaceableReason } from '../../../../lib/training/attempts/stop-reason.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { aJobSpec, anImage, Objects } from '../../../aws/batch-fixtures.ts';
import { credentialsUrl, makeRunner, writeTemplates } from '../../../aws/batch-runner.ts';
import { BatchStandIn, type ContainerFate, queueArns, sdkError } from '../../../aws/batch-stand-in.ts';
import { describeJobRunner } from '../../../contract/job-runner.ts';

const mock = mockClient(BatchClient);
const start = Date.parse('2026-11-24T02:00:00Z');
const minute = 60_000;

afterEach(() => mock.reset());

function setUp() {
  const clock = new VirtualClock(start);
  const batch = new BatchStandIn(clock);
  batch.install(mock);
  const objects = new Objects();
  const counted: string[] = [];
  const make = () =>
    makeRunner({
      clock,
      templates: writeTemplates(batch, () => anImage()),
      objects,
      count: (name) => counted.push(name),
    });
  return { clock, batch, objects, counted, make, runner: make() };
}

const outputOf = (environment: readonly { name?: string; value?: string }[] = []) =>
  environment.find(({ name }) => name === 'EPSILON_OUTPUT')?.value ?? '';

const fates: Readonly<Record<string, ContainerFate>> = {
  succeeds: { seconds: 5 },
  fails: { seconds: 5, exitCode: 1 },
  rejects: { seconds: 5, exitCode: 65 },
  waits: {},
};

describeJobRunner('AWS Batch, whose lists lag', async () => {
  const { clock, batch, objects, runner } = setUp();
  batch.listLagMs = 30_000;
  batch.fate = ({ containerOverrides }) => fates[containerOverrides?.command?.[0] ?? ''] ?? {};
  batch.onSuccess = ({ container }) =>
    void objects.texts.set(
      `${outputOf(container?.environment as { name?: string; value?: string }[])}result.json`,
      '{"answer":42}',
    );
  const ended = async (jobName: string): Promise<JobObservation> => {
    for (;;) {
      const found = await runner.find(jobName);
      if (found?.state === 'succeeded' || found?.state === 'failed') return found;
      await clock.advance(1_000);
    }
  };
  return {
    runner,
    spec: (does, name) => aJobSpec({ runId: name, jobName: name, arguments: [does] }),
    ended,
    starts: (name) => batch.named(name).length,
    close: async () => {},
  };
});

describe('a submission to Batch', () => {
  it('a submission calls Batch with exactly these arguments', async () => {
    const { runner } = setUp();
    const spec = aJobSpec();
    await runner.submit(spec, { fresh: true });
    expect(mock.commandCalls(SubmitJobCommand)[0]?.args[0].input).toEqual({
      jobName: 'acme-2026-11-24-train-1',
      jobQueue: queueArns.spot,
      shareIdentifier: expect.stringMatching(/^normal\d+$/),
      schedulingPriorityOverride: 50,
      jobDefinition: 'arn:aws:batch:us-west-2:123456789012:job-definition/epsilon-dev-stage-train:1',
      containerOverrides: {
        command: ['--tenant-id', 'acme', '--model-type', 'skipgram', '--epochs', '10'],
        environment: [
          { name: 'EPSILON_RUN_ID', value: 'acme-2026-11-24' },
          { name: 'EPSILON_TRAINING_STAGE', value: 'train' },
          { name: 'EPSILON_ATTEMPT', value: '1' },
          { name: 'EPSILON_OUTPUT', value: spec.outputUri },
          { name: 'EPSILON_RESULT_PATH', value: '/tmp/result.json' },
          { name: 'EPSILON_CREDENTIALS_URL', value: credentialsUrl },
          { name: 'AWS_REGION', value: 'us-west-2' },
        ],
        resourceRequirements: [
          { type: 'VCPU', value: '4' },
          { type: 'MEMORY', value: '8192' },
        ],
      },
      retryStrategy: { attempts: 1, evaluateOnExit: [{ onReason: '*', action: 'EXIT' }] },
      timeout: { attemptDurationSeconds: 43_200 },
      propagateTags: true,
      tags: {
        'epsilon:environment': 'dev',
        'epsilon:tenant': 'acme',
        'epsilon:run': 'acme-2026-11-24',
        'epsilon:stage': 'train',
        'epsilon:attempt': '1',
        'epsilon:trace': '0af7651916cd43dd8448eb211c80319c',
      },
    });
  });

  it('a submission goes to the queue of its capacity, with whole vCPUs and at least the shortest timeout of Batch', async () => {
    const { runner } = setUp();
    await runner.submit(
      aJobSpec({ capacity: 'on-demand', resources: { cpu: 0.5, memoryMiB: 512.5 }, timeoutSeconds: 10 }),
      { fresh: true },
    );
    expect(mock.commandCalls(SubmitJobCommand)[0]?.args[0].input).toMatchObject({
      jobQueue: queueArns['on-demand'],
      containerOverrides: {
        resourceRequirements: [
          { type: 'VCPU', value: '1' },
          { type: 'MEMORY', value: '513' },
        ],
      },
      timeout: { attemptDurationSeconds: 60 },
    });
  });

  it('a submission under a fresh intent costs one call, once its definition is known', async () => {
    const { batch, runner } = setUp();
    await runner.submit(aJobSpec(), { fresh: true });
    batch.calls.length = 0;
    await runner.submit(aJobSpec({ runId: 'beta' }), { fresh: true });
    expect(batch.calls).toEqual(['SubmitJob']);
  });

  it('a submission under an older intent first looks in both queues', async () => {
    const { batch, runner, make } = setUp();
    const first = await runner.submit(aJobSpec({ capacity: 'spot' }), { fresh: true });
    batch.calls.length = 0;
    expect(await make().submit(aJobSpec({ capacity: 'on-demand' }))).toEqual(first);
    expect(batch.calls).toEqual(['ListJobs', 'ListJobs']);
    expect(batch.jobs.size).toBe(1);
  });

  it('a submission that is too large is refused before Batch is called', async () => {
    const { batch, runner } = setUp();
    const failed = runner.submit(aJobSpec({ arguments: ['x'.repeat(31_000)] }), { fresh: true });
    await expect(failed).rejects.toMatchObject({
      code: 'JOB_PAYLOAD_TOO_LARGE',
      message: expect.stringContaining('30720'),
    });
    expect(batch.calls).not.toContain('SubmitJob');
  });

  it('F10: the client itself never repeats a submission', async () => {
    expect(await new NonRetryingBatchClient({ region: 'us-west-2' }).config.maxAttempts()).toBe(1);
  });

  it('F10: a submission that was accepted but got no answer is found by name, not repeated', async () => {
    const { clock, batch, runner, make } = setUp();
    batch.listLagMs = 20_000;
    batch.fail('SubmitJob', { error: sdkError('TimeoutError', 'no answer'), after: true });
    await expect(runner.submit(aJobSpec(), { fresh: true })).rejects.toMatchObject({
      name: 'Throttled',
      retryable: true,
    });
    expect(await make().find('acme-2026-11-24-train-1')).toBeUndefined();
    await clock.advance(20_000);
    const [job] = batch.named('acme-2026-11-24-train-1');
    expect(await make().submit(aJobSpec())).toEqual({ jobName: job?.jobName, jobId: job?.jobId });
    expect(batch.jobs.size).toBe(1);
  });

  it.each([
    ['throttled', sdkError('TooManyRequestsException', 'slow down', 429)],
    ['throttled by the front', sdkError('ThrottlingException', 'Rate exceeded')],
    ['failed by Batch itself', sdkError('ServerException', 'internal', 500)],
    ['not reached', new EpsilonError('AWS_UNREACHABLE', 'the endpoint does not answer', { retryable: true })],
  ])('F19: a submission that is %s is retried by the state machine', async (_, error) => {
    const { batch, runner } = setUp();
    batch.fail('SubmitJob', error);
    await expect(runner.submit(aJobSpec(), { fresh: true })).rejects.toMatchObject({
      name: 'Throttled',
      code: 'THROTTLED',
    });
    expect(batch.jobs.size).toBe(0);
  });

  it.each([
    ['AccessDeniedException', 'User is not authorized'],
    ['ClientException', 'User: x is not authorized to perform: batch:SubmitJob on resource: y'],
  ])(
    'F20: a submission that is denied (%s) names action and resource and is final',
    async (name, message) => {
      const { batch, runner } = setUp();
      batch.fail('SubmitJob', sdkError(name, message, 403));
      await expect(runner.submit(aJobSpec(), { fresh: true })).rejects.toMatchObject({
        code: 'AWS_ACCESS_DENIED',
        retryable: false,
        details: { action: 'batch:SubmitJob', resource: queueArns.spot },
      });
    },
  );

  it('a refused submission has the message of Batch', async () => {
    const { batch, runner } = setUp();
    batch.fail('SubmitJob', sdkError('ClientException', 'JobQueue is disabled'));
    await expect(runner.submit(aJobSpec(), { fresh: true })).rejects.toMatchObject({
      code: 'BATCH_REFUSED',
      message: expect.stringContaining('JobQueue is disabled'),
    });
  });
});

describe('observing Batch', () => {
  it('an observation describes 100 jobs a call', async () => {
    const { batch, runner } = setUp();
    const refs = [];
    for (let n = 0; n < 205; n += 1)
      refs.push(await runner.submit(aJobSpec({ runId: `r${n}`, jobName: `r${n}-train-1` }), { fresh: true }));
    batch.calls.length = 0;
    expect((await runner.observe(refs)).size).toBe(205);
    expect(batch.calls).toEqual(['DescribeJobs', 'DescribeJobs', 'DescribeJobs']);
    batch.calls.length = 0;
    expect((await runner.observe([])).size).toBe(0);
    expect(batch.calls).toEqual([]);
  });

  it('F12: an observation leaves out a job that Batch has deleted, and one whose id belongs to another job', async () => {
    const { batch, runner } = setUp();
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    expect((await runner.observe([{ jobName: 'other', jobId: ref.jobId }])).size).toBe(0);
    batch.jobs.clear();
    expect((await runner.observe([ref])).size).toBe(0);
  });

  it('an observation reads a result again later that cannot be read now, and continues with the others', async () => {
    const { clock, objects, counted, runner } = setUp();
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    await clock.advance(minute);
    objects.fault = sdkError('AccessDenied');
    expect((await runner.observe([ref])).get(ref.jobName)).toMatchObject({ state: 'running' });
    expect(counted).toEqual(['JobResultsUnreadable']);
    objects.fault = undefined;
    objects.texts.set('s3://data-bucket/acme/runs/acme-2026-11-24/train/1/result.json', '{"words":1}');
    expect((await runner.observe([ref])).get(ref.jobName)).toMatchObject({
      state: 'succeeded',
      result: { words: 1 },
      capacity: 'spot',
    });
  });

  it('an observation reports the end of a failed job although its result cannot be read', async () => {
    const { clock, batch, objects, runner } = setUp();
    batch.fate = () => ({ seconds: 1, exitCode: 1 });
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    await clock.advance(minute);
    objects.fault = sdkError('AccessDenied');
    expect((await runner.observe([ref])).get(ref.jobName)).toMatchObject({ state: 'failed', exitCode: 1 });
  });

  it.each([
    ['x'.repeat(5_000), 'RESULT_TOO_LARGE'],
    ['{', 'RESULT_NOT_JSON'],
    [undefined, 'RESULT_MISSING'],
  ])('an observation notes what is wrong with a result', async (text, note) => {
    const { clock, objects, runner } = setUp();
    if (text !== undefined)
      objects.texts.set('s3://data-bucket/acme/runs/acme-2026-11-24/train/1/result.json', text);
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    await clock.advance(minute);
    const seen = (await runner.observe([ref])).get(ref.jobName);
    expect(seen).toMatchObject({ state: 'succeeded', resultFault: expect.stringContaining(`${note}: `) });
    expect(seen).not.toHaveProperty('result');
  });

  it.each([
    ['DescribeJobs', 'TooManyRequestsException', { name: 'Throttled' }],
    ['DescribeJobs', 'AccessDeniedException', { code: 'AWS_ACCESS_DENIED' }],
    ['DescribeJobs', 'TimeoutError', { name: 'Throttled' }],
    ['ListJobs', 'TooManyRequestsException', { name: 'Throttled' }],
    ['ListJobs', 'AccessDeniedException', { code: 'AWS_ACCESS_DENIED' }],
    ['ListJobs', 'TimeoutError', { name: 'Throttled' }],
  ])(
    'F19, F20: a call of %s that fails with %s never looks like an unknown job',
    async (action, name, told) => {
      const { batch, runner, make } = setUp();
      await runner.submit(aJobSpec(), { fresh: true });
      batch.fail(action, sdkError(name));
      await expect(make().find('acme-2026-11-24-train-1')).rejects.toMatchObject(told);
    },
  );
});

describe('the stop of a job on Batch', () => {
  it('a stopped job keeps the reason in a form that Batch returns', async () => {
    const { clock, batch, runner } = setUp();
    batch.fate = () => ({});
    const waiting = await runner.submit(aJobSpec({ runId: 'w', jobName: 'w' }), { fresh: true });
    const running = await runner.submit(aJobSpec({ runId: 'r', jobName: 'r' }), { fresh: true });
    await runner.cancel(waiting, 'execution ABORTED');
    await clock.advance(minute);
    await runner.cancel(running, preemptionReason(`the instance goes; ${'x'.repeat(2_000)}`));
    expect(await runner.find('w')).toMatchObject({ state: 'failed', reason: 'cancelled' });
    expect(await runner.find('r')).toMatchObject({ state: 'failed', reason: 'preempted', exitCode: 143 });
    expect(batch.named('w')[0]?.statusReason).toBe('cancelled: execution ABORTED');
    expect(batch.named('r')[0]?.statusReason).toHaveLength(1_024);
  });

  it.each([
    ['TooManyRequestsException', 'slow down', { name: 'Throttled' }],
    ['TimeoutError', 'no answer', { name: 'Throttled' }],
    ['AccessDeniedException', 'no', { code: 'AWS_ACCESS_DENIED', details: { action: 'batch:TerminateJob' } }],
    ['ClientException', 'the request is malformed', { code: 'BATCH_REFUSED' }],
  ])('a failed stop passes %s on', async (name, message, told) => {
    const { batch, runner } = setUp();
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    batch.fail('TerminateJob', sdkError(name, message));
    await expect(runner.cancel(ref, 'x')).rejects.toMatchObject(told);
  });
});

describe('a job that nothing places', () => {
  const capacity = 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested';

  it('F17: a job that nothing can place has the reason of Batch, and ends as unplaceable when stopped for that', async () => {
    const { clock, batch, runner } = setUp();
    batch.fate = () => ({ notPlaced: { statusReason: capacity } });
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    await clock.advance(20 * minute);
    expect((await runner.observe([ref])).get(ref.jobName)).toMatchObject({
      state: 'pending',
      blocked: capacity,
    });
    await runner.cancel(ref, unplaceableReason('no spot capacity'));
    expect(await runner.find(ref.jobName)).toMatchObject({ state: 'failed', reason: 'unplaceable' });
  });

  it('a job is not blocked while it only waits behind others', async () => {
    const { clock, batch, runner } = setUp();
    batch.fate = () => ({ notPlaced: {} });
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    await clock.advance(20 * minute);
    expect((await runner.observe([ref])).get(ref.jobName)).not.toHaveProperty('blocked');
  });
});
