import { beforeEach, describe, expect, it } from 'vitest';
import type { JobObservation } from '../../../lib/training/attempts/job.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';
import { Plane, start } from './plane.ts';

const shardEvent = (shard: unknown) => ({
  source: 'epsilon.training',
  'detail-type': 'Reconcile Shard',
  detail: { schemaVersion: 1, tenantId: '*', runId: 'reconcile', data: { shard } },
});

describe.each(['SQLite', 'DynamoDB'] as const)('the reconciler over %s', (kind) => {
  let plane: Plane;

  beforeEach(() => {
    plane = new Plane(kind);
  });

  it('a pass asks a backend once per hundred open attempts and describes no execution that events report', async () => {
    await plane.open(250);
    expect(await plane.invoke()).toMatchObject({ checked: 250, alive: 250, left: 0, runsEnded: 0 });
    expect([...plane.observed].sort()).toEqual([100, 100, 50]);
    expect(plane.called('heartbeat')).toHaveLength(250);
    expect(plane.called('describe')).toEqual([]);
    expect(plane.called('list')).toEqual([]);
    const lease = await plane.ports.leases.get('t7');
    expect(Date.parse(lease?.expiresAt ?? '')).toBeGreaterThan(start + 800_000);
  });

  it('a pass notes once where jobs run that it sees running, for what they cost', async () => {
    const asked: string[][] = [];
    const at = { instanceType: 'c5a.4xlarge', zone: 'us-west-2b' };
    plane = new Plane(kind, 1, {
      placesOf: async (jobs) => {
        asked.push(jobs.map(({ jobName }) => jobName).sort());
        return new Map([['job-0', at]]);
      },
    });
    await plane.open(3);
    plane.state = (name) => (name === 'job-2' ? 'pending' : 'running');
    await plane.invoke();
    await plane.invoke();
    expect(asked).toEqual([['job-0', 'job-1'], ['job-1']]);
    expect((await plane.ports.runs.getAttempt(anAttempt({ runId: 'r0' })))?.place).toEqual(at);
    expect(await plane.ports.runs.getAttempt(anAttempt({ runId: 'r1' }))).not.toHaveProperty('place');
  });

  it('a pass does its work although a backend does not say where jobs run', async () => {
    plane = new Plane(kind, 1, { placesOf: () => Promise.reject(new Error('denied')) });
    await plane.open(2);
    expect(await plane.invoke()).toMatchObject({ checked: 2, alive: 2 });
    expect(plane.counted.get('ReconcilerFaults')).toBeUndefined();
  });

  it('F4: a pass settles jobs whose end was never reported, and declares lost those that vanished', async () => {
    await plane.open(3);
    plane.state = (name) => ({ 'job-0': 'succeeded', 'job-1': 'failed' })[name] as JobObservation['state'];
    expect(await plane.invoke()).toMatchObject({ settled: 2, lost: 1 });
    expect(plane.calls.sort()).toEqual(['fail token-1', 'fail token-2', 'succeed token-0']);
    expect(await plane.ports.runs.listOpenAttempts({ shard: 0, shards: 1 })).toEqual([]);
    expect(await plane.ports.runs.getAttempt(anAttempt({ runId: 'r2' }))).toMatchObject({ status: 'lost' });
  });

  it('a pass concludes nothing about jobs whose backend cannot be reached, and handles the others', async () => {
    await plane.open(150);
    plane.observeFails = (names) => names.length === 100;
    expect(await plane.invoke()).toMatchObject({ checked: 50, alive: 50, lost: 0 });
    expect(plane.counted.get('ReconcilerFaults')).toBe(1);
  });

  it('two passes never work on one shard at once; the lock of a dead pass expires', async () => {
    await plane.open(1);
    const now = new Date(plane.clock.now()).toISOString();
    const expiresAt = new Date(plane.clock.now() + 55_000).toISOString();
    await plane.ports.locks.tryLock({ name: 'reconcile/0', holder: 'dead', now, expiresAt });
    expect(await plane.invoke()).toMatchObject({ checked: 0 });
    expect(plane.counted.get('ReconcilerOverlaps')).toBe(1);
    expect(plane.counted.get('ReconcilerPasses')).toBeUndefined();
    await plane.clock.advance(55_000);
    expect(await plane.invoke()).toMatchObject({ checked: 1 });
    expect(await plane.invoke()).toMatchObject({ checked: 1 });
  });

  it('a pass stops before its time limit, counts what it left, and settles ended jobs first', async () => {
    await plane.open(60);
    plane.state = (name) => (name === 'job-59' ? 'succeeded' : 'running');
    plane.heartbeatMs = 20_000;
    const found = await plane.until(plane.invoke());
    expect(found['settled']).toBe(1);
    expect(plane.calls[0]).toBe('succeed token-59');
    expect(found['left']).toBeGreaterThan(5);
    expect((found['checked'] ?? 0) + (found['left'] ?? 0)).toBe(60);
    expect(plane.counted.get('ReconcilerLeft')).toBe(found['left']);
    // What was begun within the time is ended; a real heartbeat takes milliseconds.
    expect(plane.clock.now()).toBeLessThan(start + 50_000 + plane.heartbeatMs + 1);
  });

  it('a pass ends runs whose execution ended without an event', async () => {
    await plane.open(3);
    const settle = { settledAt: new Date(start).toISOString(), taskToken: null } as const;
    for (const runId of ['r0', 'r1'])
      await plane.ports.runs.updateAttempt(
        anAttempt({ runId }),
        { ...settle, status: 'failed' },
        { status: ['submitted'] },
      );
    plane.status = (arn) => (arn === 'arn:1' ? 'RUNNING' : 'FAILED');
    expect(await plane.invoke()).toMatchObject({ runsEnded: 1, alive: 1 });
    expect(plane.called('describe').sort()).toEqual(['describe arn:0', 'describe arn:1']);
    expect(await plane.ports.runs.getRun('r0')).toMatchObject({ status: 'failed' });
    expect(await plane.ports.leases.get('t0')).toBeUndefined();
    expect(await plane.ports.leases.get('t1')).toBeDefined();
  });

  it('a pass lists running executions instead of describing many quiet runs one by one', async () => {
    for (let n = 0; n < 60; n += 1)
      await plane.ports.runs.createRun(aRun({ runId: `r${n}`, executionArn: `arn:${n}` }));
    plane.status = (arn) => (arn === 'arn:5' ? 'TIMED_OUT' : 'RUNNING');
    expect(await plane.invoke()).toMatchObject({ runsEnded: 1 });
    expect(plane.calls.filter((call) => !call.startsWith('notify'))).toEqual(['list', 'describe arn:5']);
    expect(await plane.ports.runs.getRun('r5')).toMatchObject({ status: 'timed-out' });
  });

  it('F21: a job whose state no longer waits is cancelled when its execution is over', async () => {
    await plane.open(2);
    plane.heard = 'gone';
    plane.status = (arn) => (arn === 'arn:0' ? 'ABORTED' : 'RUNNING');
    expect(await plane.invoke()).toMatchObject({ cancelled: 1, alive: 1 });
    expect(plane.called('cancel')).toEqual(['cancel job-0']);
    expect(await plane.ports.runs.getRun('r0')).toMatchObject({ status: 'aborted' });
  });

  it.each(['running', 'intent'] as const)(
    'F21: an attempt without a run, %s, is closed and its job stopped when its execution is over',
    async (status) => {
      const made = anAttempt({ runId: 'look-1', stage: 'profile', jobName: 'look-1-profile-1', status });
      await plane.ports.runs.createAttempt(made);
      plane.heard = 'gone';
      plane.state = () => (status === 'intent' ? undefined : 'running');
      await plane.invoke();
      expect(await plane.ports.runs.getAttempt(made)).not.toHaveProperty('settledAt');
      plane.status = () => 'SUCCEEDED';
      expect(await plane.invoke()).toMatchObject({ cancelled: 1 });
      expect(await plane.ports.runs.getAttempt(made)).toMatchObject({
        status: 'cancelled',
        settledAt: expect.any(String),
      });
      expect(plane.called('cancel')).toEqual(['cancel look-1-profile-1']);
    },
  );

  it('a pass observes jobs by name where names are enough, although no id was stored', async () => {
    plane = new Plane(kind, 1, { namesAreIds: true });
    const { jobId: _, submittedAt: __, ...intent } = anAttempt({ status: 'intent' });
    await plane.ports.runs.createRun(aRun());
    await plane.ports.runs.createAttempt(intent);
    expect(await plane.invoke()).toMatchObject({ alive: 1 });
    expect(await plane.ports.runs.getAttempt(intent)).toMatchObject({
      status: 'running',
      jobId: `id-${intent.jobName}`,
    });
  });

  it('F12: a job that vanished before anybody saw it is submitted again under its name after the grace period', async () => {
    const submitted: string[] = [];
    plane = new Plane(kind, 1, {
      namesAreIds: true,
      submit: async ({ jobName }) => {
        submitted.push(jobName);
        return { jobName, jobId: jobName };
      },
    });
    plane.state = () => undefined;
    const { jobId: _, submittedAt: __, ...intent } = anAttempt({ stage: 'prepare', status: 'intent' });
    await plane.ports.runs.createRun(aRun());
    await plane.ports.runs.createAttempt({ ...intent, submitBegunAt: new Date(start).toISOString() });
    expect(await plane.invoke()).toMatchObject({ alive: 1 });
    expect(submitted).toEqual([]);
    await plane.clock.advance(120_000);
    expect(await plane.invoke()).toMatchObject({ alive: 1, lost: 0 });
    expect(submitted).toEqual([intent.jobName]);
  });

  it('the reconciler invokes itself once per shard; together the shards see every attempt once', async () => {
    plane = new Plane(kind, 4);
    await plane.open(40);
    await plane.invoke();
    expect(plane.calls).toEqual([]);
    expect(plane.published).toHaveLength(4);
    let checked = 0;
    for (const { source, detailType, detail } of plane.published) {
      const event = JSON.parse(JSON.stringify({ source, 'detail-type': detailType, detail })) as unknown;
      checked += (await plane.invoke(event))['checked'] ?? 0;
    }
    expect(checked).toBe(40);
    expect(plane.published).toHaveLength(4);
    expect(plane.called('heartbeat')).toHaveLength(40);
  });

  it('F7: an event for a shard that no longer exists does nothing; one without a shard is refused', async () => {
    plane = new Plane(kind, 2);
    await plane.open(1);
    expect(await plane.invoke(shardEvent(7))).toMatchObject({ checked: 0 });
    await expect(plane.invoke(shardEvent('x'))).rejects.toMatchObject({ code: 'EVENT_SCHEMA' });
    await expect(plane.invoke({ shards: 3 })).rejects.toMatchObject({ code: 'EVENT_SCHEMA' });
    expect(plane.published).toEqual([]);
  });
});
