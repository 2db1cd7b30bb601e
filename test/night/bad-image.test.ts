import { BatchClient } from '@aws-sdk/client-batch';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { tenantsToMark } from '../../lib/training/images.ts';
import { openBatchNight } from './batch-night.ts';
import { type Night, openNight } from './harness.ts';

const mock = mockClient(BatchClient);
let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
  mock.reset();
});

const tenants = Array.from({ length: 20 }, (_, index) => `tenant-${String(index).padStart(2, '0')}`);
const pullFails = 'ImagePullBackOff: manifest unknown';
const cannotStart = () => ({ reason: 'unstartable', message: pullFails }) as const;
const runsOf = () => night.runtime.control.runs.listRuns({ logicalDate: '2026-11-24' });
const badImages = async () =>
  (await night.runtime.control.images.list()).filter(({ badSince }) => badSince !== undefined);

/** A night of twenty tenants whose first image cannot be started, to its end. */
async function badNight(): Promise<{
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}> {
  night = await openNight();
  await night.add(...tenants);
  night.jobs.fate = cannotStart;
  return night.until(await night.fire());
}

describe('a night with an image that no job can be started by', () => {
  it('F59: stops early: once three tenants failed, runs that begin are refused without a job and without a retry', async () => {
    await badNight();
    // Those that were under way when the third failed have a job too: no more than run at a time.
    expect(night.jobs.specs.length).toBeGreaterThanOrEqual(tenantsToMark);
    expect(night.jobs.specs.length).toBeLessThanOrEqual(tenantsToMark + 4);
    expect(night.jobs.specs.every(({ attempt }) => attempt === 1)).toBe(true);
    const runs = await runsOf();
    expect(runs).toHaveLength(tenants.length);
    const refused = runs.filter(({ error }) => error === 'BadImage');
    expect(refused).toHaveLength(tenants.length - night.jobs.specs.length);
    for (const { status, cause } of refused) {
      expect(status).toBe('failed');
      expect(cause).toContain('epsilon images clear data-pipeline@sha256:');
      expect(cause).toContain(pullFails);
    }
    for (const tenantId of tenants) expect(await night.runtime.ports.leases.get(tenantId)).toBeUndefined();
  });

  it('F59: is judged as the fault of the platform, and puts no tenant into quarantine', async () => {
    const end = await badNight();
    expect(end).toMatchObject({ status: 'FAILED', error: 'NightBelowTarget' });
    expect(end.cause).toContain('0 succeeded, 0 failed, 20 not started (a fault of the platform)');
    for (const date of ['2026-11-25', '2026-11-26'])
      await night.until(await night.fire(`${date}T02:00:00.000Z`));
    night.jobs.fate = () => ({});
    const [bad] = await badImages();
    await night.runtime.control.images.clear({ image: bad?.image ?? '' });
    const next = await night.until(await night.fire('2026-11-27T02:00:00.000Z'));
    expect(next).toMatchObject({ status: 'SUCCEEDED', output: { succeeded: 20 } });
    const order = night.jobs.specs.slice(-100).filter(({ stage }) => stage === 'prepare');
    expect(order.map(({ tenantId }) => tenantId).sort()).toEqual(tenants);
  });

  it('trains whoever was refused, when an operator cleared the image, by a redrive of the run', async () => {
    await badNight();
    const refused = (await runsOf()).find(({ error }) => error === 'BadImage');
    night.jobs.fate = () => ({});
    const { control } = night.runtime;
    await control.workflows.redrive(refused?.executionArn ?? '');
    expect(await night.until(refused?.executionArn ?? '')).toMatchObject({
      status: 'FAILED',
      error: 'BadImage',
    });
    const [bad] = await badImages();
    await control.images.clear({ image: bad?.image ?? '' });
    expect(await badImages()).toEqual([]);
    await control.workflows.redrive(refused?.executionArn ?? '');
    expect(await night.until(refused?.executionArn ?? '')).toMatchObject({ status: 'SUCCEEDED' });
    expect(await control.runs.getRun(refused?.runId ?? '')).toMatchObject({ status: 'succeeded' });
    const acts = await control.audit.list({ since: '2026-11-24', until: '2026-11-30', limit: 10 });
    expect(acts.map(({ act, subject, outcome }) => `${act} ${subject} ${outcome}`)).toContain(
      `images.clear ${`image ${bad?.image}`} done`,
    );
  });

  it('F59: survives a restart: the mark is on record', async () => {
    await badNight();
    await night.restart();
    night.jobs.fate = () => ({});
    expect(await night.until(await night.train('tenant-00'))).toMatchObject({ error: 'BadImage' });
  });
});

describe('an image that only some jobs cannot be started by', () => {
  it('is not bad: a job that was started by it after theirs were submitted speaks for it', async () => {
    night = await openNight();
    await night.add(...tenants);
    night.jobs.fate = (spec) =>
      Number(spec.tenantId.slice(-2)) % 4 === 3 ? { ...cannotStart(), seconds: 30 } : { seconds: 5 };
    const end = await night.until(await night.fire());
    expect(end.cause).toContain('15 succeeded, 0 failed, 5 not started');
    expect(await badImages()).toEqual([]);
  });
});

describe('a night on Batch with an image that its registry does not have', () => {
  it('F59: stops early as on Kubernetes', async () => {
    const batch = await openBatchNight(mock);
    night = batch;
    await night.add(...tenants);
    batch.batch.fate = () => ({ notStarted: 'CannotPullContainerError: manifest unknown' });
    const end = await night.until(await night.fire());
    expect(end.cause).toContain('0 failed, 20 not started');
    expect(batch.batch.jobs.size).toBeGreaterThanOrEqual(tenantsToMark);
    expect(batch.batch.jobs.size).toBeLessThanOrEqual(tenantsToMark + 4);
    expect(await badImages()).toMatchObject([{ failures: [{}, {}, {}] }]);
  });

  it('goes on when instances cannot reach the registry for a while', async () => {
    const batch = await openBatchNight(mock);
    night = batch;
    await night.add(...tenants.slice(0, 6));
    batch.batch.fate = ({ jobName }) =>
      jobName?.endsWith('-prepare-1')
        ? { notStarted: 'CannotPullContainerError: i/o timeout' }
        : { seconds: 1 };
    expect(await night.until(await night.fire())).toMatchObject({ status: 'SUCCEEDED' });
    expect(await badImages()).toEqual([]);
  });
});
