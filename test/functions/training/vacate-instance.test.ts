import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { handler } from '../../../functions/training/vacate-instance.ts';
import type { JobRunner } from '../../../lib/ports/job-runner.ts';
import type { AttemptKey } from '../../../lib/ports/run-store.ts';
import type { JobRef } from '../../../lib/training/attempts/job.ts';
import { stopReasonOf } from '../../../lib/training/attempts/stop-reason.ts';
import type { Attempt } from '../../../lib/training/run.ts';
import { VirtualClock } from '../../../local/clock/virtual-clock.ts';
import { openMemoryStores } from '../../dynamodb/memory-stores.ts';
import { testPorts } from '../../fixtures/ports.ts';
import { anAttempt } from '../../fixtures/records.ts';

const instance = 'i-0123456789abcdef0';
const now = Date.parse('2026-11-24T03:00:00Z');

const envelope = (type: 'warning' | 'hint', instanceId = instance) => ({
  version: '0',
  id: '12345678-1234-1234-1234-123456789012',
  'detail-type':
    type === 'warning' ? 'EC2 Spot Instance Interruption Warning' : 'EC2 Instance Rebalance Recommendation',
  source: 'aws.ec2',
  account: '123456789012',
  time: '2026-11-24T03:00:00Z',
  region: 'us-west-2',
  resources: [`arn:aws:ec2:us-west-2a:instance/${instanceId}`],
  detail: {
    'instance-id': instanceId,
    ...(type === 'warning' ? { 'instance-action': 'terminate' } : {}),
  },
});

/** A backend whose instance holds the given attempts. */
function aBackend(backend: JobRunner['backend'], keys: readonly AttemptKey[], over: Partial<JobRunner> = {}) {
  const cancelled: { readonly job: JobRef; readonly reason: string }[] = [];
  const runner: JobRunner = {
    backend,
    submit: async (spec) => ({ jobName: spec.jobName, jobId: spec.jobName }),
    find: async (jobName) => ({ jobName, jobId: `found-${jobName}`, state: 'running' }),
    observe: async () => new Map(),
    cancel: async (job, reason) => void cancelled.push({ job, reason }),
    runningOn: async (instanceId) => (instanceId === instance ? keys : []),
    ...over,
  };
  return { runner, cancelled };
}

function open(attempts: readonly Attempt[], runners: readonly JobRunner[]) {
  const counted: string[] = [];
  const clock = new VirtualClock(now);
  const runs = Object.assign(openMemoryStores({ clock }).runs, {
    listAttempts: async (runId: string) => attempts.filter((one) => one.runId === runId),
  });
  const ports = testPorts({
    clock,
    metrics: {
      count: (name, value, dimensions) =>
        void counted.push([name, value, ...Object.values(dimensions ?? {})].join(' ')),
      duration: () => {},
    },
    runs,
    jobs: {
      batch: undefined,
      eks: undefined,
      ...Object.fromEntries(runners.map((runner) => [runner.backend, runner])),
    },
  });
  const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 1000 } as Context;
  return { counted, send: (event: unknown) => handler.withPorts(ports)(event, context) };
}

describe('vacateInstance, on an interruption warning', () => {
  it('F15: every job on the instance, of every backend, is asked to leave and counts as preempted', async () => {
    const [train, index] = [anAttempt({ status: 'running' }), anAttempt({ stage: 'index', runId: 'other' })];
    const [batch, eks] = [aBackend('batch', [train]), aBackend('eks', [index])];
    const { send, counted } = open([train, index], [batch.runner, eks.runner]);
    expect(await send(envelope('warning'))).toEqual({
      signal: 'interruption',
      found: 2,
      vacated: 2,
      stayed: 0,
    });
    expect(batch.cancelled).toEqual([
      { job: { jobName: train.jobName, jobId: 'job-1' }, reason: expect.stringContaining(instance) },
    ]);
    expect([...batch.cancelled, ...eks.cancelled].map(({ reason }) => stopReasonOf(reason))).toEqual([
      'preempted',
      'preempted',
    ]);
    expect(counted).toContain('JobsVacated 2 interruption');
  });

  it('a job is found whose submission is not on record yet', async () => {
    const { jobId: _, ...intent } = anAttempt({ status: 'intent' });
    const { runner, cancelled } = aBackend('batch', [intent]);
    await open([intent], [runner]).send(envelope('warning'));
    expect(cancelled[0]?.job.jobId).toBe(`found-${intent.jobName}`);
  });

  it('jobs that are over or not on record are left alone', async () => {
    const over = anAttempt({ status: 'succeeded' });
    const { runner, cancelled } = aBackend('batch', [over, { runId: 'ghost', stage: 'train', attempt: 1 }]);
    expect(await open([over], [runner]).send(envelope('warning'))).toMatchObject({ found: 2, vacated: 0 });
    expect(cancelled).toEqual([]);
  });

  it('an instance without jobs of Epsilon is ignored and counted, as are backends without instances', async () => {
    const { runner } = aBackend('batch', [anAttempt()]);
    const { runningOn: _, ...local } = aBackend('local', []).runner;
    const { send, counted } = open([], [runner, local]);
    expect(await send(envelope('warning', 'i-00000000'))).toMatchObject({ found: 0, vacated: 0 });
    expect(counted).toContain('SpotSignalsUnknown 1 interruption');
  });

  it('a fault of one job stops no other; the delivery fails so that it is repeated', async () => {
    const [one, two] = [anAttempt({ runId: 'one', jobName: 'one' }), anAttempt({ runId: 'two' })];
    const broken = aBackend('batch', [], {
      runningOn: async () => {
        throw new Error('no answer');
      },
    });
    const told: string[] = [];
    const half = aBackend('eks', [one, two], {
      cancel: async ({ jobName }) => {
        if (jobName === 'one') throw new Error('throttled');
        told.push(jobName);
      },
    });
    const { send } = open([one, two], [broken.runner, half.runner]);
    await expect(send(envelope('warning'))).rejects.toThrow('no answer');
    expect(told).toEqual([two.jobName]);
  });

  it.each([
    ['another source', { source: 'aws.batch' }],
    ['another type', { 'detail-type': 'EC2 Instance State-change Notification' }],
    ['no instance', { detail: { 'instance-action': 'terminate' } }],
    ['no instance id', { detail: { 'instance-id': 'node-1', 'instance-action': 'terminate' } }],
  ])('an event is refused with %s', async (_, over) => {
    await expect(open([], []).send({ ...envelope('warning'), ...over })).rejects.toMatchObject({
      code: 'EVENT_SCHEMA',
    });
  });
});

describe('vacateInstance, on a rebalance recommendation', () => {
  const seconds = (ago: number) => new Date(now - ago * 1000).toISOString();
  const attempt = (over: Partial<Attempt>) =>
    anAttempt({ status: 'running', startedAt: seconds(3600), ...over });
  it.each<[string, Attempt, Attempt[], boolean]>([
    ['moves a stage that checkpoints, however long it has run', attempt({ stage: 'train' }), [], true],
    ['moves a stage that has just begun', attempt({ stage: 'index', startedAt: seconds(120) }), [], true],
    ['leaves a stage that would begin anew after long work', attempt({ stage: 'index' }), [], false],
    ['leaves a job on on-demand capacity', attempt({ capacity: 'on-demand' }), [], false],
    [
      'leaves a stage that was moved before: hints alone never lead to on-demand',
      attempt({ attempt: 2 }),
      [attempt({ attempt: 1, status: 'preempted' })],
      false,
    ],
    [
      'moves a stage whose earlier attempt failed by itself',
      attempt({ attempt: 2 }),
      [attempt({ attempt: 1, status: 'failed' })],
      true,
    ],
  ])('%s', async (_, mine, others, moves) => {
    const { runner, cancelled } = aBackend('eks', [mine]);
    expect(await open([...others, mine], [runner]).send(envelope('hint'))).toMatchObject({
      signal: 'rebalance',
      found: 1,
      vacated: moves ? 1 : 0,
    });
    expect(cancelled).toHaveLength(moves ? 1 : 0);
  });
});
