import type { V1Job, V1Pod } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobManifest } from '../../lib/kubernetes/job-manifest.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { JobTable, type Report } from '../../watcher/job-table.ts';
import { deployment, specOf } from '../kubernetes/harness.ts';

const start = Date.parse('2026-11-24T02:00:00Z');

function aJob(name: string, end?: 'Complete' | 'Failed', uid = `uid-${name}`): V1Job {
  const job = jobManifest(specOf('succeeds', name), deployment);
  const conditions = end
    ? [{ type: end, status: 'True', reason: 'x', lastTransitionTime: new Date(start) }]
    : [];
  return {
    ...job,
    metadata: { ...job.metadata, uid, creationTimestamp: new Date(start) },
    status: { conditions },
  };
}

function aPod(job: string, phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed'): V1Pod {
  const over = phase === 'Succeeded' || phase === 'Failed';
  const state = over
    ? { terminated: { exitCode: phase === 'Succeeded' ? 0 : 1, message: '{"answer":42}' } }
    : phase === 'Running'
      ? { running: { startedAt: new Date(start) } }
      : {};
  return {
    metadata: { name: `${job}-pod`, labels: { 'batch.kubernetes.io/job-name': job } },
    spec: { containers: [{ name: 'job', env: [{ name: 'BIG', value: 'x'.repeat(10_000) }] }] },
    status: {
      phase,
      containerStatuses: [{ name: 'job', image: 'x', imageID: 'x', ready: false, restartCount: 0, state }],
    },
  };
}

function open() {
  const clock = new VirtualClock(start);
  const reports: Report[] = [];
  const table = new JobTable({ clock, onReport: (report) => reports.push(report) });
  const ends = () =>
    reports.filter(({ observation: { state } }) => state === 'succeeded' || state === 'failed');
  return { clock, table, reports, ends };
}

describe('the table of jobs', () => {
  it('the end of a job waits for the last word of its pod, which comes by another stream', () => {
    const { table, ends } = open();
    table.job(aJob('a-1'));
    table.pod(aPod('a-1', 'Running'));
    table.job(aJob('a-1', 'Complete'));
    expect(ends()).toEqual([]);
    table.pod(aPod('a-1', 'Succeeded'));
    expect(ends()).toMatchObject([{ observation: { state: 'succeeded', result: { answer: 42 } } }]);
  });

  it('but not for ever', async () => {
    const { clock, table, ends } = open();
    table.job(aJob('a-1', 'Failed'));
    table.tick();
    expect(ends()).toEqual([]);
    await clock.advance(2_000);
    table.tick();
    expect(ends()).toMatchObject([{ observation: { state: 'failed', reason: 'lost' } }]);
  });

  it('longer while the stream of pods is broken, and its grace begins anew when the stream is back', async () => {
    const { clock, table, ends } = open();
    table.podsBehind();
    table.job(aJob('a-1', 'Complete'));
    await clock.advance(100_000);
    table.tick();
    expect(ends()).toEqual([]);
    table.podsCurrent();
    table.tick();
    expect(ends()).toEqual([]);
    table.pod(aPod('a-1', 'Succeeded'));
    expect(ends()).toMatchObject([{ observation: { state: 'succeeded', result: { answer: 42 } } }]);
  });

  it('but no longer than two minutes', async () => {
    const { clock, table, ends } = open();
    table.podsBehind();
    table.job(aJob('a-1', 'Complete'));
    await clock.advance(120_000);
    table.tick();
    expect(ends()).toHaveLength(1);
  });

  it('a job of the same name with another uid is another job: the first was deleted unseen', () => {
    const { table, ends } = open();
    table.job(aJob('a-1', undefined, 'first'));
    table.job(aJob('a-1', undefined, 'second'));
    expect(ends()).toMatchObject([{ observation: { jobId: 'first', reason: 'lost' } }]);
    table.pod(aPod('a-1', 'Succeeded'));
    table.job(aJob('a-1', 'Complete', 'second'));
    expect(ends()).toHaveLength(2);
  });

  it('jobs of others are nobody', () => {
    const { table, reports } = open();
    table.job({ metadata: { name: 'other', uid: 'u', labels: {} }, status: {} });
    table.jobGone({ metadata: { name: 'other', uid: 'u' } });
    expect([reports, table.counts]).toEqual([[], { pending: 0, running: 0 }]);
  });

  it('every job that is alive has its turn once in a round', () => {
    const { table } = open();
    for (let index = 0; index < 25; index += 1) table.job(aJob(`j-${index}`));
    const round = Array.from({ length: 60 }, (_, turn) => [...table.alive(turn, 60)]).flat();
    expect(new Set(round.map(({ observation }) => observation.jobName)).size).toBe(25);
    expect(round).toHaveLength(25);
  });

  it('whatever order the two streams come in, and whatever is repeated, each end is told once and whole', () => {
    const names = ['a-1', 'b-1', 'c-1'];
    const history = (name: string, well: boolean) => ({
      jobs: [aJob(name), aJob(name, well ? 'Complete' : 'Failed')],
      pods: [aPod(name, 'Pending'), aPod(name, 'Running'), aPod(name, well ? 'Succeeded' : 'Failed')],
    });
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        fc.array(
          fc.record({ who: fc.nat(2), kind: fc.constantFrom('job', 'pod', 'relist'), again: fc.boolean() }),
          { maxLength: 60 },
        ),
        (wells, picks) => {
          const { table, ends } = open();
          const all = names.map((name, index) => ({
            name,
            at: { job: 0, pod: 0 },
            ...history(name, wells[index] ?? true),
          }));
          const feed = (who: number, kind: 'job' | 'pod', again: boolean) => {
            const one = all[who];
            if (!one) return;
            const list = kind === 'job' ? one.jobs : one.pods;
            const at = again ? Math.max(0, one.at[kind] - 1) : one.at[kind];
            const object = list[at];
            if (!object) return;
            if (kind === 'job') table.job(object as V1Job);
            else table.pod(object as V1Pod);
            if (!again) one.at[kind] = at + 1;
          };
          for (const { who, kind, again } of picks)
            if (kind === 'relist') {
              for (let each = 0; each < 3; each += 1) {
                feed(each, 'pod', true);
                feed(each, 'job', true);
              }
              table.keepOnly(new Set(names));
            } else feed(who, kind as 'job' | 'pod', again);
          for (let step = 0; step < 3; step += 1)
            for (let who = 0; who < 3; who += 1) {
              feed(who, 'pod', false);
              feed(who, 'job', false);
            }
          const told = ends().map(
            ({ observation }) => `${observation.jobName} ${observation.state} ${observation.exitCode}`,
          );
          return (
            JSON.stringify(told.sort()) ===
            JSON.stringify(names.map((name, index) => `${name} ${wells[index] ? 'succeeded 0' : 'failed 1'}`))
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
