import { beforeEach, describe, expect, it } from 'vitest';
import { StaleFence, Throttled } from '../../../lib/errors/run-errors.ts';
import { noteUnwanted } from '../../../lib/operations/attempts/abandon.ts';
import { underOwnLease } from '../../../lib/operations/attempts/hold-lease.ts';
import { settleRun } from '../../../lib/operations/runs/settle-run.ts';
import type { Run } from '../../../lib/training/run.ts';
import type { openMemoryStores } from '../../dynamodb/memory-stores.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';
import { Plane, start } from './plane.ts';

const iso = (ms: number) => new Date(ms).toISOString();

/** Long enough for everything that is on its way to come to where it waits. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise<void>((next) => setImmediate(next));
}

async function runOf({ ports }: Plane): Promise<Run> {
  const run = await ports.runs.getRun(aRun().runId);
  if (!run) throw new Error('the run is not on record');
  return run;
}

async function begin({ ports }: Plane): Promise<number> {
  const { tenantId, runId: holder } = aRun();
  const times = { now: iso(start), expiresAt: iso(start + 900_000) };
  const { fence } = await ports.leases.acquire({ tenantId, holder, ...times });
  await ports.runs.createRun(aRun({ fence }));
  return fence;
}

/** A method of a store, so that it can be handed on alone. */
function bound(target: object, name: string | symbol): unknown {
  const value = (target as Record<string | symbol, unknown>)[name];
  return typeof value === 'function' ? value.bind(target) : value;
}

/** The races that the explorer found (test/races), played by hand on the real stores. */
describe.each(['SQLite', 'DynamoDB'] as const)('races over %s', (kind) => {
  let plane: Plane;
  /** Names of the jobs that exist, and of those that were stopped. */
  let jobs: string[];
  let stopped: string[];
  let stoppedIds: Set<string>;
  /** What the next submission fails with; `after`: the job exists all the same. */
  let fault: { readonly error: Error; readonly after: boolean } | undefined;
  let atLookUp: () => Promise<void>;
  let atStop: () => Promise<void>;
  let listed: boolean;

  beforeEach(async () => {
    [jobs, stopped, listed, fault] = [[], [], false, undefined];
    stoppedIds = new Set();
    atLookUp = atStop = async () => {};
    plane = new Plane(kind, 1, {
      lookupLags: true,
      submit: async ({ jobName }) => {
        const met = fault;
        fault = undefined;
        if (met && !met.after) throw met.error;
        jobs.push(jobName);
        if (met) throw met.error;
        return { jobName, jobId: `id-${jobs.length}` };
      },
      find: async (jobName) => {
        await atLookUp();
        const isThere = listed && jobs.includes(jobName);
        return isThere ? { jobName, jobId: 'id-1', state: 'running' } : undefined;
      },
      cancel: async ({ jobName, jobId }) => {
        await atStop();
        stopped.push(jobName);
        stoppedIds.add(jobId);
      },
    });
    await begin(plane);
  });

  const end = async () => settleRun(plane.ports, await runOf(plane), { status: 'ABORTED', redriveCount: 0 });

  it('F51: an entry and the reconciler hold the same token: only one of them submits', async () => {
    fault = { error: new Throttled('slow down'), after: false };
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    let waiting = 0;
    let open = () => {};
    const both = new Promise<void>((met) => {
      open = met;
    });
    atLookUp = async () => {
      waiting += 1;
      if (waiting === 2) open();
      await both;
    };
    const entry = plane.enter('token-b');
    await turns();
    await Promise.all([entry, plane.invoke({})]);
    expect(jobs).toHaveLength(1);
  });

  it('F53: a submission without answer, stopped while lists lag and then redriven, leaves one live job', async () => {
    fault = { error: new Throttled('no answer', undefined, { unclear: true }), after: true };
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    await end();
    listed = true;
    await plane.clock.advance(300_000);
    await plane.invoke({});
    await plane.enter('token-b', 'prepare', { redriveCount: 1 });
    expect(jobs.length - stopped.length).toBe(1);
  });

  it('F52: a second job that is heard of while its attempt is given up is stopped all the same', async () => {
    await plane.enter('token-a');
    const heard = await plane.ports.runs.getAttempt({ runId: aRun().runId, stage: 'prepare', attempt: 1 });
    await end();
    if (!heard) throw new Error('the attempt is not on record');
    expect(await noteUnwanted(plane.ports, heard, 'id-2')).toBe(true);
    await plane.invoke({});
    expect([...stoppedIds]).toEqual(['id-1', 'id-2']);
  });

  it('F60: a run whose lease a given-up invocation of its own has taken once more goes on under a newer one', async () => {
    const { leases } = plane.ports;
    const { tenantId, runId } = aRun();
    const times = { now: iso(start), expiresAt: iso(start + 900_000) };
    const run = await runOf(plane);
    await leases.acquire({ tenantId, holder: runId, ...times });
    const work = async ({ fence }: Run) => {
      const { fence: newest = 0 } = (await leases.get(tenantId)) ?? {};
      if (fence < newest) throw new StaleFence(tenantId, fence, newest);
      return fence;
    };
    expect(await underOwnLease(plane.ports, run, 0, work)).toBe(3);
    expect(await runOf(plane)).toMatchObject({ fence: 3, status: 'running' });
    await leases.release({ tenantId, holder: runId, fence: 3 });
    await leases.acquire({ tenantId, holder: 'another', ...times });
    await expect(underOwnLease(plane.ports, run, 0, work)).rejects.toMatchObject({ name: 'StaleFence' });
  });

  it('F54: the end of an earlier try, told late, leaves alone what a redrive has adopted', async () => {
    await plane.enter('token-a');
    listed = true;
    const { runs } = plane.ports;
    // Between reading what is open and giving it up.
    const listAttempts: typeof runs.listAttempts = async (runId) => {
      const attempts = await runs.listAttempts(runId);
      expect(await plane.enter('token-b', 'prepare', { redriveCount: 1 })).toBe('adopted');
      return attempts;
    };
    const late = new Proxy(runs, {
      get: (target, name) => (name === 'listAttempts' ? listAttempts : bound(target, name)),
    });
    await settleRun({ ...plane.ports, runs: late }, await runOf(plane), {
      status: 'ABORTED',
      redriveCount: 0,
    });
    const [attempt] = await runs.listAttempts(aRun().runId);
    expect(attempt).toMatchObject({ status: 'running', redriveCount: 1 });
    expect(attempt).not.toHaveProperty('settledAt');
    expect([jobs.length, stopped]).toEqual([1, []]);
    expect(await runOf(plane)).toMatchObject({ status: 'running', redriveCount: 1 });
  });

  it('F53: a redrive that comes while the jobs of an earlier try are stopped submits anew: one live job', async () => {
    await plane.enter('token-a');
    listed = true;
    const outcomes: string[] = [];
    atStop = async () => {
      if (outcomes.length === 0) outcomes.push(await plane.enter('token-b', 'prepare', { redriveCount: 1 }));
    };
    await end();
    expect(outcomes).toEqual(['submitted']);
    expect(jobs.length - stopped.length).toBe(1);
    const attempts = await plane.ports.runs.listAttempts(aRun().runId);
    expect(attempts.map(({ status, settledAt }) => [status, settledAt !== undefined])).toEqual([
      ['cancelled', true],
      ['submitted', false],
    ]);
  });

  it('F55: an entry that comes after its execution ended touches nothing', async () => {
    await end();
    expect(await plane.enter('token-a')).toBe('superseded');
    expect(await runOf(plane)).toMatchObject({ status: 'aborted' });
    expect(await plane.ports.leases.get(aRun().tenantId)).toBeUndefined();
    expect(jobs).toEqual([]);
  });

  it('F61: an entry whose caller has entered again does not replace the token of the entry after it', async () => {
    await plane.enter('token-b', 'prepare', { retryCount: 2 });
    const attempt = async () => (await plane.ports.runs.listAttempts(aRun().runId))[0];
    const before = await attempt();
    expect(await plane.enter('token-a', 'prepare', { retryCount: 1 })).toBe('superseded');
    expect(await attempt()).toEqual(before);
    expect(await plane.enter('token-c', 'prepare', { retryCount: 3 })).not.toBe('superseded');
    expect((await attempt())?.tokenDigest).not.toBe(before?.tokenDigest);
  });

  it('F55: an entry of an earlier try does not take the lease from a redrive', async () => {
    await plane.enter('token-b', 'prepare', { redriveCount: 1 });
    const before = await plane.ports.leases.get(aRun().tenantId);
    expect(await plane.enter('token-a', 'prepare')).toBe('superseded');
    expect(await plane.ports.leases.get(aRun().tenantId)).toEqual(before);
  });
});

describe('the end of a run', () => {
  it('F56: opens no sealed token: its role may not', async () => {
    const plane = new Plane('DynamoDB');
    const stores = plane.ports as unknown as ReturnType<typeof openMemoryStores>;
    const fence = await begin(plane);
    await plane.ports.runs.createAttempt(anAttempt({ fence }));
    // completeJob has recorded the outcome; its answer is still on its way.
    await plane.ports.runs.changeAttempt(anAttempt(), { status: 'succeeded' }, { status: ['submitted'] });
    const before = stores.keys.calls.length;
    const cold = { ...plane.ports, ...stores.another() };
    await settleRun(cold, await runOf(plane), { status: 'FAILED', redriveCount: 0 });
    expect(stores.keys.calls.slice(before)).toEqual([]);
  });
});
