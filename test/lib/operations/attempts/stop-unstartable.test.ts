import { describe, expect, it } from 'vitest';
import { startSeconds, stopUnstartable } from '../../../../lib/operations/attempts/stop-unstartable.ts';
import type { JobRunner } from '../../../../lib/ports/job-runner.ts';
import type { JobObservation } from '../../../../lib/training/attempts/job.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { testPorts } from '../../../fixtures/ports.ts';
import { anAttempt } from '../../../fixtures/records.ts';

const now = Date.parse('2026-11-24T04:00:00Z');

/** A pass over EKS attempts, each of which has had its node for so many seconds; undefined: it could still start. */
function aPass(waits: Readonly<Record<string, number | undefined>>) {
  const [stopped, counted]: [string[], number[]] = [[], []];
  const eks: JobRunner = {
    backend: 'eks',
    submit: async ({ jobName }) => ({ jobName, jobId: jobName }),
    find: async () => undefined,
    observe: async () => new Map(),
    cancel: async ({ jobName }, reason) => {
      if (jobName === 'broken') throw new Error('throttled');
      stopped.push(`${jobName}: ${reason}`);
    },
  };
  const ports = testPorts({
    clock: new VirtualClock(now),
    jobs: { eks, batch: undefined },
    metrics: {
      count: (name, by) => {
        if (name === 'JobsUnstartable') counted.push(by);
      },
      duration: () => {},
    },
  });
  const attempts = Object.keys(waits).map((jobName) => anAttempt({ jobName, backend: 'eks' }));
  const jobs = new Map(
    Object.entries(waits).map(([jobName, seconds]): [string, JobObservation] => [
      jobName,
      {
        jobName,
        jobId: jobName,
        state: 'pending',
        ...(seconds === undefined
          ? {}
          : {
              unstartable: { why: 'ImagePullBackOff', since: new Date(now - seconds * 1000).toISOString() },
            }),
      },
    ]),
  );
  return { run: () => stopUnstartable(ports, { attempts, jobs }), stopped, counted };
}

describe('jobs that cannot start', () => {
  it('are stopped under that name once they have had their node for some minutes, and not before', async () => {
    const { run, stopped, counted } = aPass({ late: startSeconds, early: startSeconds - 1, fine: undefined });
    expect(await run()).toBe(1);
    expect(stopped).toEqual(['late: unstartable: ImagePullBackOff']);
    expect(counted).toEqual([1]);
  });

  it('are stopped one by one: a fault with one leaves it to the next pass and keeps no other waiting', async () => {
    const { run, stopped } = aPass({ broken: 999, other: 999 });
    expect(await run()).toBe(1);
    expect(stopped).toHaveLength(1);
  });
});
