import { describe, expect, it } from 'vitest';
import { giveUpPlacement } from '../../../../lib/operations/attempts/give-up-placement.ts';
import type { JobRunner } from '../../../../lib/ports/job-runner.ts';
import type { JobObservation } from '../../../../lib/training/attempts/job.ts';
import type { Attempt } from '../../../../lib/training/run.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { devSettings, testPorts } from '../../../fixtures/ports.ts';
import { anAttempt } from '../../../fixtures/records.ts';

const now = Date.parse('2026-11-24T04:00:00Z');
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();

const waiting = (runId: string, over: Partial<Attempt> = {}): Attempt =>
  anAttempt({ runId, jobName: `${runId}-job`, backend: 'batch', submittedAt: ago(1_000), ...over });
const running = (runId: string, over: Partial<Attempt> = {}): Attempt =>
  waiting(runId, { status: 'running', startedAt: ago(5_000), ...over });

/** A pass over shard 0, whose pending jobs are given; `others` are the open attempts of shard 1. */
function aPass(
  mine: readonly Attempt[],
  others: readonly Attempt[] = [],
  batchSpotVcpus = 8,
  blocked?: string,
  onDemand = 100,
) {
  const [cancelled, told, asked]: [string[], string[], number[]] = [[], [], []];
  const batch: JobRunner = {
    backend: 'batch',
    submit: async ({ jobName }) => ({ jobName, jobId: jobName }),
    find: async () => undefined,
    observe: async () => new Map(),
    cancel: async ({ jobName }, reason) => {
      if (jobName === 'broken-job') throw new Error('throttled');
      cancelled.push(reason);
    },
  };
  const ports = testPorts({
    clock: new VirtualClock(now),
    config: {
      ...devSettings,
      training: { ...devSettings.training, placementSeconds: 900 },
      reconcile: { ...devSettings.reconcile, shards: 2 },
      queueSize: {
        ...devSettings.queueSize,
        batchSpotVcpus,
        batchOnDemandVcpus: onDemand,
        eksSpotVcpus: 8,
        eksOnDemandVcpus: 8,
      },
    },
    jobs: { batch, eks: undefined },
    notifier: { notify: async ({ body }) => void told.push(body) },
  });
  const listOpenAttempts: typeof ports.runs.listOpenAttempts = async ({ shard }) => {
    asked.push(shard);
    return [...others];
  };
  Object.assign(ports.runs, { listOpenAttempts });
  const jobs = new Map(
    mine.map(({ jobName, status }): [string, JobObservation] => [
      jobName,
      {
        jobName,
        jobId: jobName,
        state: status === 'running' ? 'running' : 'pending',
        ...(blocked === undefined ? {} : { blocked }),
      },
    ]),
  );
  const run = () => giveUpPlacement(ports, { attempts: mine, jobs, shard: 0 });
  return { run, jobs, cancelled, told, asked };
}

describe('a pass over pending jobs', () => {
  it('reads nothing more while no job has waited too long', async () => {
    const { run, asked } = aPass([waiting('a', { submittedAt: ago(899) }), running('b')]);
    expect(await run()).toBe(0);
    expect(asked).toEqual([]);
  });

  it('gives up a job that its queue, with room, did not start', async () => {
    const { run, cancelled, told } = aPass([waiting('a'), running('b')]);
    expect(await run()).toBe(1);
    expect(cancelled).toEqual(['unplaceable: no spot capacity within 1000 seconds']);
    expect(told).toEqual([]);
  });

  it('counts the jobs of all shards: a queue is shared', async () => {
    const { run, asked } = aPass([waiting('a')], [running('x'), running('y')]);
    expect(await run()).toBe(0);
    expect(asked).toEqual([1]);
  });

  it("does not count another queue's jobs, of another kind or backend", async () => {
    const others = [running('x', { capacity: 'on-demand' }), running('y', { backend: 'eks' }), running('z')];
    expect(await aPass([waiting('a')], others).run()).toBe(1);
  });

  it('counts what jobs asked for, not what their stage usually does', async () => {
    const small = { resources: { cpu: 1, memoryMiB: 64 } };
    expect(await aPass([waiting('a', small)], [running('x', small), running('y', small)]).run()).toBe(1);
    expect(await aPass([waiting('a', small)], [running('x'), running('y')]).run()).toBe(0);
  });

  it('takes the word of a backend that says why nothing takes the job', async () => {
    const full = [running('x'), running('y')];
    const { run, cancelled } = aPass([waiting('a')], full, 8, 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY');
    expect(await run()).toBe(1);
    expect(cancelled[0]).toContain('INSUFFICIENT_INSTANCE_CAPACITY');
  });

  it('leaves jobs alone that have their machine and cannot start there: no other capacity would help', async () => {
    const { run, jobs, cancelled } = aPass([waiting('a')]);
    for (const [name, job] of jobs)
      jobs.set(name, { ...job, unstartable: { why: 'ImagePullBackOff', since: ago(900) } });
    expect(await run()).toBe(0);
    expect(cancelled).toEqual([]);
  });

  it('goes on to the others when one cannot be stopped; the next pass tries it again', async () => {
    const { run, cancelled } = aPass([waiting('broken'), waiting('b')]);
    expect(await run()).toBe(1);
    expect(cancelled).toHaveLength(1);
  });

  it('moves no more jobs to on-demand than it has room for, a shard its part, the longest waiting first', async () => {
    const spot = Array.from({ length: 6 }, (_, n) => waiting(`r${n}`, { submittedAt: ago(1_000 + n) }));
    const dear = [
      running('x', { capacity: 'on-demand' }),
      waiting('y', { capacity: 'on-demand', submittedAt: ago(1) }),
    ];
    // 24 vCPU, of which one job runs in 4 and one waits for 4: 16 are left, 8 for each of two shards.
    const { run, cancelled } = aPass(spot, dear, 100, undefined, 24);
    expect(await run()).toBe(2);
    expect(cancelled).toEqual([
      'unplaceable: no spot capacity within 1005 seconds',
      'unplaceable: no spot capacity within 1004 seconds',
    ]);
    expect(await aPass(spot, dear, 100, undefined, 8).run()).toBe(0);
  });

  it('lets a job go back to spot that waits for on-demand behind others, once spot starts jobs again', async () => {
    const left = waiting('a', { capacity: 'on-demand', capacityBecause: 'spot-unplaceable' });
    const full = [running('x', { capacity: 'on-demand' }), running('y', { capacity: 'on-demand' })];
    const back = running('z', { startedAt: ago(500) });
    const { run, cancelled, told } = aPass([left], [...full, back], 100, undefined, 8);
    expect(await run()).toBe(1);
    expect(cancelled).toEqual(['unplaceable: spot capacity is back, and on-demand is full for 1000 seconds']);
    expect(told).toEqual([]);
    const never = running('z', { startedAt: ago(1_500) });
    expect(await aPass([left], [...full, never], 100, undefined, 8).run()).toBe(0);
    const mustStay = { ...left, capacityBecause: 'preempted' as const };
    expect(await aPass([mustStay], [...full, back], 100, undefined, 8).run()).toBe(0);
  });

  it('F18: tells people once per pass when on-demand is missing, with names', async () => {
    const stuck = Array.from({ length: 12 }, (_, n) => waiting(`r${n}`, { capacity: 'on-demand' }));
    const { run, told } = aPass(stuck);
    expect(await run()).toBe(12);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^12 jobs found no on-demand capacity within 900 seconds \(r0-job, .*\.\.\.\)/);
  });
});
