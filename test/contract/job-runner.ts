import { describe, expect, it } from 'vitest';
import type { JobRunner } from '../../lib/ports/job-runner.ts';
import type { JobObservation, JobSpec } from '../../lib/training/attempts/job.ts';
import { preemptionReason } from '../../lib/training/attempts/stop-reason.ts';

/** A backend under test: jobs whose behaviour the suite chooses by a word in their arguments. */
export interface RunnerHarness {
  readonly runner: JobRunner;
  /** Makes a spec whose job does this. */
  spec(does: 'succeeds' | 'fails' | 'rejects' | 'waits', name: string): JobSpec;
  /** The observation when the job is over. */
  ended(jobName: string): Promise<JobObservation>;
  /** How many times the backend has really started this job. */
  starts(jobName: string): number;
  close(): Promise<void>;
}

/** What every JobRunner must do. */
export function describeJobRunner(name: string, make: () => Promise<RunnerHarness>): void {
  const using = (title: string, work: (harness: RunnerHarness) => Promise<void>) =>
    it(title, async () => {
      const harness = await make();
      try {
        await work(harness);
      } finally {
        await harness.close();
      }
    });

  describe(`JobRunner: ${name}`, () => {
    using('runs a job to its end and hands its result over', async ({ runner, spec, ended }) => {
      const ref = await runner.submit(spec('succeeds', 'good-1'));
      expect(await ended('good-1')).toMatchObject({
        ...ref,
        state: 'succeeded',
        reason: 'completed',
        exitCode: 0,
        result: { answer: 42 },
      });
      expect(await runner.find('good-1')).toMatchObject({ state: 'succeeded' });
    });

    using('tells a failure from a rejection by the exit code', async ({ runner, spec, ended }) => {
      await runner.submit(spec('fails', 'bad-1'));
      await runner.submit(spec('rejects', 'wrong-1'));
      expect(await ended('bad-1')).toMatchObject({ state: 'failed', reason: 'error', exitCode: 1 });
      expect(await ended('wrong-1')).toMatchObject({ state: 'failed', reason: 'error', exitCode: 65 });
    });

    using(
      'starts nothing when the name is known, however often it is submitted',
      async ({ runner, spec, ended, starts }) => {
        const first = await runner.submit(spec('succeeds', 'once-1'));
        expect(await runner.submit(spec('succeeds', 'once-1'))).toEqual(first);
        await ended('once-1');
        expect(await runner.submit(spec('fails', 'once-1'))).toEqual(first);
        expect(await runner.find('once-1')).toMatchObject({ state: 'succeeded' });
        expect(starts('once-1')).toBe(1);
      },
    );

    using('knows nothing of names that were never submitted', async ({ runner }) => {
      expect(await runner.find('never-1')).toBeUndefined();
      expect((await runner.observe([{ jobName: 'never-1', jobId: 'x' }])).size).toBe(0);
    });

    using(
      'cancels a job; cancelling again or one that is over does nothing',
      async ({ runner, spec, ended }) => {
        const ref = await runner.submit(spec('waits', 'long-1'));
        await runner.cancel(ref, 'not needed');
        expect(await ended('long-1')).toMatchObject({
          state: 'failed',
          reason: 'cancelled',
          message: expect.stringContaining('not needed'),
        });
        await runner.cancel(ref, 'again');
        await runner.cancel({ jobName: 'never-1', jobId: 'never-1' }, 'unknown');
        expect(await runner.find('long-1')).toMatchObject({ reason: 'cancelled' });
      },
    );

    using('tells a job that was stopped for its machine from one that was cancelled', async (harness) => {
      const { runner, spec, ended } = harness;
      const ref = await runner.submit(spec('waits', 'spot-1'));
      await runner.cancel(ref, preemptionReason('the instance is taken away'));
      expect(await ended('spot-1')).toMatchObject({
        state: 'failed',
        reason: 'preempted',
        message: expect.stringContaining('the instance is taken away'),
      });
    });

    using('observes many jobs at once', async ({ runner, spec, ended }) => {
      const refs = await Promise.all(
        ['a-1', 'b-1', 'c-1'].map((jobName) => runner.submit(spec('succeeds', jobName))),
      );
      await Promise.all(['a-1', 'b-1', 'c-1'].map(ended));
      const seen = await runner.observe(refs);
      expect([...seen.values()].map((one) => one.state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    });
  });
}
