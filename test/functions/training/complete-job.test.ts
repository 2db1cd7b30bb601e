import type { Context } from 'aws-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import { handler } from '../../../functions/training/complete-job.ts';
import type { CallbackOutcome, TaskCallbacks } from '../../../lib/ports/task-callbacks.ts';
import type { Attempt } from '../../../lib/training/run.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { LocalMetrics } from '../../../local/metrics.ts';
import { type LocalStores, openLocalStores } from '../../../local/stores/local-stores.ts';
import { Objects } from '../../aws/batch-fixtures.ts';
import { sdkError } from '../../aws/batch-stand-in.ts';
import { devSettings, objectStoreOf, testPorts } from '../../fixtures/ports.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';
import { freshDir } from '../../fresh-dir.ts';

const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 1000 } as Context;
let stores: LocalStores;
afterEach(() => stores.close());

/** Everything `calls` sees of a port goes through to it. */
function watched<T extends object>(name: string, port: T, calls: string[]): T {
  return new Proxy(port, {
    get: (target, method) => {
      const member = Reflect.get(target, method) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        calls.push(`${name}.${String(method)}`);
        return (member as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

async function open(attempt: Attempt = anAttempt()) {
  stores = openLocalStores({ stateDir: freshDir() });
  await stores.runs.createRun(aRun());
  await stores.runs.createAttempt({ ...attempt, status: 'intent' });
  await stores.runs.updateAttempt(attempt, { status: attempt.status }, { status: ['intent'] });
  const calls: string[] = [];
  const told: unknown[] = [];
  const objects = new Objects();
  const metrics = new LocalMetrics();
  let answer: CallbackOutcome = 'delivered';
  const note = (what: unknown): CallbackOutcome => {
    told.push(what);
    return answer;
  };
  const callbacks: TaskCallbacks = {
    succeed: async (_, output) => note(output),
    fail: async (_, failure) => note(failure),
    heartbeat: async () => note('heartbeat'),
  };
  const ports = testPorts({
    ...stores,
    config: { ...devSettings, dataBucket: 'data' },
    clock: new VirtualClock(Date.parse('2026-11-24T03:00:00Z')),
    metrics,
    runs: watched('runs', stores.runs, calls),
    callbacks: watched('callbacks', callbacks, calls),
    objects: watched('objects', objectStoreOf({ get: (uri, options) => objects.get(uri, options) }), calls),
  });
  return {
    calls,
    told,
    objects,
    metrics: () => metrics.text(),
    gone: () => {
      answer = 'gone';
    },
    send: (event: unknown) => handler.withPorts(ports)(event, context),
    attempt: () => stores.runs.getAttempt(attempt),
  };
}

/** An attempt whose job Batch runs. */
const onBatch = () => anAttempt({ backend: 'batch' });

const uri = 's3://data/acme/runs/acme-2026-11-24/train/1/';

function own(data: Record<string, unknown> = {}) {
  return {
    version: '0',
    source: 'epsilon.jobs',
    'detail-type': 'Job State Change',
    detail: {
      schemaVersion: 1,
      tenantId: 'acme',
      runId: 'acme-2026-11-24',
      logicalDate: '2026-11-24',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      data: {
        stage: 'train',
        attempt: 1,
        jobName: 'acme-2026-11-24-train-1',
        jobId: 'job-1',
        state: 'succeeded',
        reason: 'completed',
        exitCode: 0,
        result: { words: 100 },
        ...data,
      },
    },
  };
}

function batch(over: Record<string, unknown> = {}, variables: Record<string, string> = {}) {
  const environment = {
    EPSILON_RUN_ID: 'acme-2026-11-24',
    EPSILON_TRAINING_STAGE: 'train',
    EPSILON_ATTEMPT: '1',
    EPSILON_OUTPUT: uri,
    ...variables,
  };
  return {
    version: '0',
    source: 'aws.batch',
    'detail-type': 'Batch Job State Change',
    detail: {
      jobId: 'job-1',
      jobName: 'acme-2026-11-24-train-1',
      jobQueue: 'arn:aws:batch:us-west-2:123456789012:job-queue/spot',
      status: 'SUCCEEDED',
      statusReason: 'Essential container in task exited',
      attempts: [],
      container: {
        exitCode: 0,
        environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
      },
      somethingNew: { of: 'Batch' },
      ...over,
    },
  };
}

describe('completeJob, on the end of a job', () => {
  it('the end of a job costs one write, one answer and one close', async () => {
    const { calls, told, send, attempt } = await open();
    expect(await send(own())).toEqual({ outcome: 'settled' });
    expect(calls).toEqual(['runs.changeAttempt', 'callbacks.succeed', 'runs.changeAttempt']);
    expect(told).toEqual([
      { stage: 'train', attempt: 1, capacity: 'spot', outputUri: uri, result: { words: 100 } },
    ]);
    expect(await attempt()).toMatchObject({ status: 'succeeded', exitCode: 0, result: { words: 100 } });
    expect(await attempt()).not.toHaveProperty('taskToken');
  });

  it('costs one read of the result more on Batch, whose events do not carry it', async () => {
    const { calls, told, objects, send } = await open(onBatch());
    objects.texts.set(`${uri}result.json`, '{"words":100}');
    expect(await send(batch())).toEqual({ outcome: 'settled' });
    expect(calls).toEqual(['objects.get', 'runs.changeAttempt', 'callbacks.succeed', 'runs.changeAttempt']);
    expect(told).toEqual([
      { stage: 'train', attempt: 1, capacity: 'spot', outputUri: uri, result: { words: 100 } },
    ]);
  });

  it('tells the words of a job that failed on Batch', async () => {
    const { told, objects, send } = await open(onBatch());
    objects.texts.set(`${uri}result.json`, '{"error":{"code":"DATA_EMPTY","message":"no documents"}}');
    await send(batch({ status: 'FAILED', container: { ...batch().detail.container, exitCode: 65 } }));
    expect(told).toEqual([{ error: 'JobRejected', cause: 'DATA_EMPTY: no documents' }]);
  });

  it('is told also when a failed job’s result cannot be read; that of a good one is asked for again', async () => {
    const { told, objects, send, attempt } = await open(onBatch());
    objects.fault = sdkError('SlowDown');
    await expect(send(batch())).rejects.toThrow('SlowDown');
    expect((await attempt())?.status).toBe('submitted');
    const container = { ...batch().detail.container, exitCode: undefined };
    await send(
      batch({ status: 'FAILED', statusReason: 'Host EC2 (instance i-0abc) terminated.', container }),
    );
    expect(told).toEqual([{ error: 'JobPreempted', cause: 'Host EC2 (instance i-0abc) terminated.' }]);
  });

  it.each([
    ['our own', own(), anAttempt()],
    ['Batch’s', batch(), onBatch()],
  ])('F5: twice is told once; a token that is gone is counted: %s events', async (_, event, made) => {
    const { told, gone, send, metrics } = await open(made);
    gone();
    expect(await send(event)).toEqual({ outcome: 'settled' });
    expect(await send(event)).toEqual({ outcome: 'repeated' });
    expect(told).toHaveLength(1);
    expect(await metrics()).toMatch(/callbacks_gone_total 1/);
    expect(await metrics()).toMatch(/job_events_repeated_total 1/);
  });

  it('F5: an outcome recorded by a handler that died before answering is answered by the second delivery', async () => {
    const { told, send, attempt } = await open();
    const key = anAttempt();
    await stores.runs.updateAttempt(
      key,
      { status: 'succeeded', result: { words: 7 } },
      { status: ['submitted'] },
    );
    expect(await send(own())).toEqual({ outcome: 'settled' });
    expect(told).toMatchObject([{ result: { words: 7 } }]);
    expect(await attempt()).toHaveProperty('settledAt');
  });

  it('F6: events out of order never move a record back', async () => {
    const { told, send, attempt } = await open();
    await send(own());
    const ended = await attempt();
    expect(await send(own({ state: 'running', result: undefined }))).toEqual({ outcome: 'repeated' });
    expect(await send(own({ state: 'failed' }))).toEqual({ outcome: 'repeated' });
    expect(await attempt()).toEqual(ended);
    expect(told).toHaveLength(1);
  });

  it('F6: out of order never moves a record back on Batch', async () => {
    const { told, send, attempt } = await open(onBatch());
    await send(batch());
    const ended = await attempt();
    expect(await send(batch({ status: 'RUNNING' }))).toEqual({ outcome: 'repeated' });
    expect(await send(batch({ status: 'FAILED' }))).toEqual({ outcome: 'repeated' });
    expect(await attempt()).toEqual(ended);
    expect(told).toHaveLength(1);
  });
});

/** Whatever the event says, and whatever stands under the output that it names. */
async function changesNothing(made: Attempt, event: unknown): Promise<void> {
  const { told, objects, send, attempt, metrics } = await open(made);
  for (const there of [uri, uri.replace('/1/', '/2/'), uri.replace('/acme/', '/beta/')])
    objects.texts.set(`${there}result.json`, '{"words":666}');
  const before = await attempt();
  expect(await send(event)).toEqual({ outcome: 'unknown' });
  expect(await attempt()).toEqual(before);
  expect(told).toEqual([]);
  expect(await metrics()).toMatch(/job_events_unknown_total 1/);
}

describe('F7: an event of no job of ours', () => {
  it.each([
    ['another name', own({ jobName: 'someone-elses-train-1' })],
    ['an attempt that was never made', own({ attempt: 9, jobName: 'acme-2026-11-24-train-9' })],
    ['a job id that is not the attempt’s', own({ jobId: 'job-forged' })],
    ['another tenant', { ...own(), detail: { ...own().detail, tenantId: 'beta' } }],
    ['Batch’s word on a job that Batch does not run', batch()],
  ])('with %s is counted and changes nothing', async (_, event) => {
    await changesNothing(anAttempt(), event);
  });

  it.each([
    ['no variables of ours', batch({ container: {} })],
    [
      'another environment’s bucket',
      batch({}, { EPSILON_OUTPUT: 's3://data-staging/acme/runs/acme-2026-11-24/train/1/' }),
    ],
    ['another attempt’s output', batch({}, { EPSILON_OUTPUT: uri.replace('/1/', '/2/') })],
    ['another tenant’s output', batch({}, { EPSILON_OUTPUT: uri.replace('/acme/', '/beta/') })],
    ['a name that is not its attempt’s', batch({ jobName: 'clone-of-acme' })],
    ['our name and another attempt’s variables', batch({}, { EPSILON_ATTEMPT: '2' })],
    ['our name, and the id of another job', batch({ jobId: 'job-look-alike' })],
    ['our own envelope: Batch speaks for itself', own()],
  ])('on Batch with %s is counted and changes nothing', async (_, event) => {
    await changesNothing(onBatch(), event);
  });

  it.each([
    ['no known source', { ...own(), source: 'aws.ec2' }],
    ['a foreign type', { ...batch(), 'detail-type': 'Batch Job Queue Blocked' }],
    ['no job id', batch({ jobId: '' })],
    ['no state', own({ state: undefined })],
  ])('an event is refused with %s', async (_, event) => {
    const { send } = await open();
    await expect(send(event)).rejects.toMatchObject({ code: 'EVENT_SCHEMA' });
  });
});

describe('completeJob, on an event of a job that is alive', () => {
  it.each([
    ['RUNNABLE', 'submitted'],
    ['STARTING', 'submitted'],
    ['RUNNING', 'running'],
  ])('%s keeps its stage waiting', async (status, recorded) => {
    const { told, send, attempt } = await open(onBatch());
    expect(await send(batch({ status }))).toEqual({ outcome: 'progress' });
    expect(told).toEqual(['heartbeat']);
    expect((await attempt())?.status).toBe(recorded);
  });

  it('a repeated event of a live job sends a heartbeat without a write, and counts when no state waits', async () => {
    const { calls, gone, send, metrics } = await open(anAttempt({ status: 'running' }));
    await send(own({ state: 'running', result: undefined }));
    gone();
    await send(own({ state: 'running', result: undefined }));
    expect(calls).toEqual([
      'runs.getAttempt',
      'callbacks.heartbeat',
      'runs.getAttempt',
      'callbacks.heartbeat',
    ]);
    expect(await metrics()).toMatch(/callbacks_gone_total 1/);
  });
});

/** An attempt whose job was never seen. */
function withoutJob(over: Partial<Attempt>): Attempt {
  const { jobId: _, ...attempt } = anAttempt(over);
  return attempt;
}

describe('a job that nobody waits for', () => {
  it.each(['cancelled', 'succeeded', 'failed'] as const)(
    'F52: beside the job of an attempt that has %s is noted, so that the next pass stops it',
    async (status) => {
      const { told, send, attempt } = await open(
        anAttempt({ status, settledAt: '2026-11-24T02:30:00.000Z' }),
      );
      const second = own({ state: 'running', jobId: 'job-2', result: undefined });
      expect(await send(second)).toEqual({ outcome: 'stray' });
      expect(await attempt()).toMatchObject({ status, jobId: 'job-1', strayJobId: 'job-2' });
      expect(await attempt()).not.toHaveProperty('settledAt');
      // The end of the first job must not close what is open for the second one's sake.
      expect(await send(own({ state: 'failed', jobId: 'job-1' }))).toEqual({ outcome: 'repeated' });
      expect(await attempt()).not.toHaveProperty('settledAt');
      expect(told).toEqual([]);
    },
  );

  it('of an attempt that was given up is noted, so that the next pass stops it', async () => {
    const { told, send, attempt, metrics } = await open(
      withoutJob({ status: 'cancelled', settledAt: '2026-11-24T02:30:00.000Z' }),
    );
    expect(await send(own({ state: 'running', jobId: 'job-late', result: undefined }))).toEqual({
      outcome: 'stray',
    });
    expect(await attempt()).toMatchObject({ status: 'cancelled', jobId: 'job-late' });
    expect(await attempt()).not.toHaveProperty('settledAt');
    expect(told).toEqual([]);
    expect(await metrics()).toMatch(/stray_jobs_total 1/);
  });

  it('F52: of a name that has a job is noted beside it; what becomes of it changes nothing', async () => {
    const { told, send, attempt } = await open(anAttempt({ status: 'running' }));
    expect(await send(own({ state: 'running', jobId: 'job-2', result: undefined }))).toEqual({
      outcome: 'stray',
    });
    expect(await attempt()).toMatchObject({ status: 'running', jobId: 'job-1', strayJobId: 'job-2' });
    expect(await send(own({ state: 'failed', jobId: 'job-2' }))).toEqual({ outcome: 'unknown' });
    expect(await attempt()).toMatchObject({ status: 'running', jobId: 'job-1' });
    expect(told).toEqual([]);
  });

  it('beside another one that is noted already is told again once that one is stopped', async () => {
    const { send, attempt } = await open(anAttempt({ status: 'running', strayJobId: 'job-2' }));
    const third = own({ state: 'running', jobId: 'job-3', result: undefined });
    await expect(send(third)).rejects.toMatchObject({ name: 'Throttled' });
    expect(await attempt()).toMatchObject({ jobId: 'job-1', strayJobId: 'job-2' });
  });
});
