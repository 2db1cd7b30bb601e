import { beforeEach, describe, expect, it } from 'vitest';
import { Throttled } from '../../../lib/errors/run-errors.ts';
import type { JobObservation, JobSpec } from '../../../lib/training/attempts/job.ts';
import { aRun } from '../../fixtures/records.ts';
import { Plane, start } from './plane.ts';

const iso = (ms: number) => new Date(ms).toISOString();

/** A backend without idempotency: every submission makes a job, and its list shows a job only after a while. */
class LaggingBackend {
  readonly submitted: { readonly spec: JobSpec; readonly at: number }[] = [];
  lagMs = 30_000;
  /** Thrown by the coming submissions: before the job is made, or after. */
  readonly faults: { readonly error: Error; readonly after: boolean }[] = [];
  now: () => number = () => 0;

  readonly runner = {
    lookupLags: true,
    submit: async (spec: JobSpec) => {
      const fault = this.faults.shift();
      if (fault && !fault.after) throw fault.error;
      this.submitted.push({ spec, at: this.now() });
      if (fault) throw fault.error;
      return { jobName: spec.jobName, jobId: `id-${this.submitted.length}` };
    },
    find: async (jobName: string): Promise<JobObservation | undefined> => {
      const shown = this.submitted.find(
        ({ spec, at }) => spec.jobName === jobName && this.now() - at >= this.lagMs,
      );
      return shown ? { jobName, jobId: 'id-1', state: 'running' } : undefined;
    },
  };
}

const unclear = () => new Throttled('no answer', undefined, { unclear: true });
const refused = () => new Throttled('slow down');

describe.each(['SQLite', 'DynamoDB'] as const)('a stage on a backend whose lists lag, over %s', (kind) => {
  let plane: Plane;
  let backend: LaggingBackend;

  beforeEach(async () => {
    backend = new LaggingBackend();
    plane = new Plane(kind, 1, backend.runner);
    backend.now = () => plane.clock.now();
    const { tenantId, runId: holder } = aRun();
    const { fence } = await plane.ports.leases.acquire({
      tenantId,
      holder,
      now: iso(start),
      expiresAt: iso(start + 900_000),
    });
    await plane.ports.runs.createRun(aRun({ fence }));
  });

  const attempt = async () => (await plane.ports.runs.listAttempts(aRun().runId))[0];
  const grace = 120_000;

  it('F10: an entry does not submit again while an unanswered submission may still show up', async () => {
    backend.faults.push({ error: unclear(), after: true });
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    expect(await plane.enter('token-b')).toBe('waiting');
    await plane.clock.advance(20_000);
    expect(await plane.enter('token-c')).toBe('waiting');
    await plane.clock.advance(20_000);
    expect(await plane.enter('token-d')).toBe('adopted');
    expect(backend.submitted).toHaveLength(1);
    expect(await attempt()).toMatchObject({ status: 'running', jobId: 'id-1' });
  });

  it('F8: the reconciler submits when the grace period ends and no job has shown up', async () => {
    backend.faults.push({ error: unclear(), after: false });
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    expect(await plane.enter('token-b')).toBe('waiting');
    await plane.clock.advance(60_000);
    await plane.invoke();
    expect(backend.submitted).toEqual([]);
    await plane.clock.advance(grace);
    await plane.invoke();
    expect(await attempt()).toMatchObject({ status: 'submitted', jobId: 'id-1', attempt: 1 });
    await plane.invoke();
    expect(backend.submitted).toHaveLength(1);
  });

  it('F9: the reconciler adopts a job that showed up late, and makes no second one', async () => {
    backend.faults.push({ error: unclear(), after: true });
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    await plane.clock.advance(grace);
    await plane.invoke();
    expect(backend.submitted).toHaveLength(1);
    expect(await attempt()).toMatchObject({ status: 'running', jobId: 'id-1' });
    expect(plane.called('heartbeat')).toEqual(['heartbeat token-a']);
  });

  it('F19: the next entry submits at once what was certainly refused', async () => {
    backend.faults.push({ error: refused(), after: false }, { error: refused(), after: false });
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    await expect(plane.enter('token-b')).rejects.toMatchObject({ name: 'Throttled' });
    expect(await plane.enter('token-c')).toBe('submitted');
    expect(backend.submitted).toHaveLength(1);
  });

  it('F10: one of several concurrent entries and a reconciler submits', async () => {
    backend.faults.push({ error: unclear(), after: false });
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'Throttled' });
    await plane.clock.advance(grace);
    const outcomes = await Promise.all([plane.enter('token-b'), plane.enter('token-c'), plane.invoke()]);
    expect(backend.submitted).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'submitted').length).toBeLessThanOrEqual(1);
  });

  it('F24: a redriven execution acquires the lease with a larger fence before it submits', async () => {
    const { runs, leases } = plane.ports;
    const before = await runs.getRun(aRun().runId);
    await runs.updateRun(aRun().runId, { status: 'failed' });
    await leases.release({ tenantId: 'acme', holder: aRun().runId, fence: before?.fence ?? 0 });
    expect(await plane.enter('token-a', 'prepare', { redriveCount: 1 })).toBe('submitted');
    const after = await runs.getRun(aRun().runId);
    expect(after).toMatchObject({ status: 'running', redriveCount: 1 });
    expect(after?.fence).toBeGreaterThan(before?.fence ?? 0);
    expect(await attempt()).toMatchObject({ fence: after?.fence });
  });

  it('F29: an entry acquires an expired lease again, and is busy when another run has it', async () => {
    const { leases } = plane.ports;
    await plane.clock.advance(1_000_000);
    const now = iso(plane.clock.now());
    await leases.acquire({
      tenantId: 'acme',
      holder: 'other',
      now,
      expiresAt: iso(plane.clock.now() + 60_000),
    });
    await expect(plane.enter('token-a')).rejects.toMatchObject({ name: 'TenantBusy' });
    expect(await attempt()).toBeUndefined();
    await plane.clock.advance(60_000);
    expect(await plane.enter('token-a')).toBe('submitted');
    expect((await leases.get('acme'))?.fence).toBeGreaterThan(2);
  });
});
