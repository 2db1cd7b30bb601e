import { afterEach, describe, expect, it } from 'vitest';
import { epsilon } from '../cli/harness.ts';
import { type Night, openNight } from './harness.ts';

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

const machine = 'nightly-training';
const listed = async () =>
  (await night.runtime.control.workflows.list({ machine })).map(({ status }) => status);

describe('a night', () => {
  it('a night gives its plan to each run, and what the run’s stages took to the next night', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ stage }) => ({ seconds: stage === 'train' ? 1_200 : 60 });
    expect(await night.until(await night.fire())).toMatchObject({ status: 'SUCCEEDED' });
    const [run] = await night.runtime.control.runs.listRuns({});
    expect(run).toMatchObject({
      status: 'succeeded',
      deadline: '2026-11-24T08:00:00.000Z',
      stageSeconds: { prepare: 60, train: 1_200, index: 60, deploy: 60, cache: 60 },
    });
    const forecast = await epsilon(
      night.runtime.control,
      'forecast',
      '--at',
      '2026-11-25T02:00:00Z',
      '--json',
    );
    expect(forecast.json()).toMatchObject({
      night: {
        logicalDate: '2026-11-25',
        forecast: { tenants: 1, onTime: 1, measured: 1, endsAt: '2026-11-25T02:27:00.000Z' },
        tenants: [{ tenantId: 'acme', plan: { deadline: '2026-11-25T08:00:00.000Z' } }],
      },
    });
  });

  it('a night that is due while an earlier one runs waits for its end, and then trains its own date', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ stage }) => ({ seconds: stage === 'train' ? 11 * 3_600 : 60 });
    const first = await night.fire('2026-11-24T02:00:00.000Z');
    await night.advance(3_600_000);
    const second = await night.fire('2026-11-25T02:00:00.000Z');
    await night.advance(3_600_000);
    expect((await listed()).filter((status) => status === 'RUNNING')).toHaveLength(2);
    expect(night.jobs.specs.filter(({ stage }) => stage === 'train')).toHaveLength(1);
    // The same time delivered again while both are there is a duplicate, as ever.
    await night.fire('2026-11-25T02:00:00.000Z');
    await night.advance(60_000);
    expect((await listed()).filter((status) => status === 'RUNNING')).toHaveLength(2);
    expect(await night.until(first)).toMatchObject({ status: 'SUCCEEDED' });
    night.jobs.fate = () => ({});
    expect(await night.until(second)).toMatchObject({ status: 'SUCCEEDED' });
    const runs = await night.runtime.control.runs.listRuns({});
    expect(runs.map(({ logicalDate, status }) => [logicalDate, status]).sort()).toEqual([
      ['2026-11-24', 'succeeded'],
      ['2026-11-25', 'succeeded'],
    ]);
  });

  it('a night that waits longer than twelve hours fails by that name, and a redrive begins it', async () => {
    night = await openNight();
    await night.add('acme');
    night.jobs.fate = ({ stage }) => ({ seconds: stage === 'train' ? 11 * 3_600 : 3 * 3_600 });
    const first = await night.fire('2026-11-24T02:00:00.000Z');
    await night.advance(60_000);
    const second = await night.fire('2026-11-25T02:00:00.000Z');
    await night.advance(12.2 * 3_600_000);
    const { workflows } = night.runtime.control;
    expect(await workflows.describe(second)).toMatchObject({ status: 'FAILED', error: 'NightOverlaps' });
    await workflows.stop(first, { error: 'Stopped', cause: 'a test' });
    night.jobs.fate = () => ({});
    await workflows.redrive(second);
    expect(await night.until(second)).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('epsilon forecast', () => {
  it('epsilon forecast says what the next night will have ready, and begins nothing', async () => {
    night = await openNight();
    await night.add('acme', 'beta');
    const { code, out } = await epsilon(night.runtime.control, 'forecast');
    expect(code).toBe(0);
    expect(out).toContain(
      'Night of 2026-11-24T02:00:00Z: 2 of 2 tenants by 08:00 UTC; the last one ends about 03:30 UTC',
    );
    expect(out).toMatch(/acme +2026-11-24T08:00:00Z +on time/);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(await listed()).toEqual([]);
  });

  it.each([
    ['--at', 'tomorrow'],
    ['--limit', 'many'],
  ])('epsilon forecast refuses %s %s', async (option, value) => {
    night = await openNight();
    expect(await epsilon(night.runtime.control, 'forecast', option, value)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`error USAGE: ${option} ${value}`),
    });
  });
});
