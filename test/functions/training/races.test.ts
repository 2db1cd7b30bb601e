import { beforeEach, describe, expect, it } from 'vitest';
import { Throttled } from '../../../lib/errors/run-errors.ts';
import { endRun } from '../../../lib/operations/runs/end-run.ts';
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

/** The races that the explorer found (test/races), played by hand on the real stores. */
describe.each(['SQLite', 'DynamoDB'] as const)('races over %s', (kind) => {
  let plane: Plane;
  /** Names of the jobs that exist, and of those that were stopped. */
  let jobs: string[];
  let stopped: string[];
  /** What the next submission fails with; `after`: the job exists all the same. */
  let fault: { readonly error: Error; readonly after: boolean } | undefined;
  let atLookUp: () => Promise<void>;
  let atStop: () => Promise<void>;
  let listed: boolean;

  beforeEach(async () => {
    [jobs, stopped, listed, fault] = [[], [], false, undefined];
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
      cancel: async ({ jobName }) => {
        await atStop();
        stopped.push(jobName);
      },
    });
    await begin(plane);
  });

  const end = async () => endRun(plane.ports, await runOf(plane), { status: 'ABORTED', redriveCount: 0 });

  it.fails('an entry and the reconciler hold the same token: only one of them submits', async () => {
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

  it.fails('a submission without answer, stopped while lists lag and then redriven, leaves one live job', async () => {
    fault = { error: new Throttled('no answer', undefined, { unclear: true }), after: true };
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    await end();
    listed = true;
    await plane.clock.advance(300_000);
    await plane.invoke({});
    await plane.enter('token-b', 'prepare', 1);
    expect(jobs.length - stopped.length).toBe(1);
  });

  it.fails('the end of an earlier try, told late, leaves alone what a redrive has adopted', async () => {
    await plane.enter('token-a');
    listed = true;
    let redrives = 0;
    atStop = async () => {
      redrives += 1;
      if (redrives === 1) await plane.enter('token-b', 'prepare', 1);
    };
    await end();
    const [attempt] = await plane.ports.runs.listAttempts(aRun().runId);
    expect(attempt?.settledAt).toBeUndefined();
  });
});

describe('the end of a run', () => {
  it.fails('opens no sealed token: its role may not', async () => {
    const plane = new Plane('DynamoDB');
    const stores = plane.ports as unknown as ReturnType<typeof openMemoryStores>;
    const fence = await begin(plane);
    await plane.ports.runs.createAttempt(anAttempt({ fence }));
    // completeJob has recorded the outcome; its answer is still on its way.
    await plane.ports.runs.changeAttempt(anAttempt(), { status: 'succeeded' }, { status: ['submitted'] });
    const before = stores.keys.calls.length;
    const cold = { ...plane.ports, ...stores.another() };
    await endRun(cold, await runOf(plane), { status: 'FAILED', redriveCount: 0 });
    expect(stores.keys.calls.slice(before)).toEqual([]);
  });
});
