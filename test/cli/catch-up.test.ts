import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datesOf } from '../../cli/nights/catch-up.ts';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import { type Night, openNight } from '../night/harness.ts';
import { call, epsilon, type Ran } from './harness.ts';

const now = Date.parse('2026-11-24T12:00:00Z');

describe('a range of dates to catch up with', () => {
  it('has both its ends, oldest first, across months', () => {
    expect(datesOf('2026-10-30..2026-11-02', now)).toEqual([
      '2026-10-30',
      '2026-10-31',
      '2026-11-01',
      '2026-11-02',
    ]);
    expect(datesOf('2026-11-24..2026-11-24', now)).toEqual(['2026-11-24']);
  });

  it.each([
    ['2026-11-20', 'USAGE'],
    ['2026-11-20..', 'USAGE'],
    ['..2026-11-20', 'USAGE'],
    ['2026-11-20..2026-11-21..2026-11-22', 'USAGE'],
    ['2026-11-22..2026-11-20', 'USAGE'],
    ['2026-01-01..2026-11-20', 'USAGE'],
    ['2026-02-30..2026-03-02', 'DATE_OUT_OF_RANGE'],
    ['2026-11-20..2026-11-31', 'DATE_OUT_OF_RANGE'],
    ['2026-11-20..2026-12-20', 'DATE_OUT_OF_RANGE'],
    ['yesterday..today', 'DATE_OUT_OF_RANGE'],
  ])('%s is refused with %s', (range, code) => {
    expect(() => datesOf(range, now)).toThrow(expect.objectContaining({ code }));
  });
});

describe('run --catch-up', () => {
  let night: Night;
  let control: OperatorApi;
  const ids = sequentialIds('C');

  beforeAll(async () => {
    night = await openNight();
    await night.add('acme', 'globex');
    await night.until(await night.fire());
    control = night.runtime.control;
  });

  afterAll(() => night.runtime.close());

  const catchUp = async (range: string, ...more: string[]): Promise<Ran> => {
    let over = false;
    const surroundings = {
      clock: control.clock,
      ids,
      open: async () => ({ ...control, close: async () => {} }),
    };
    const ran = call(surroundings, ['run', 'nightly-training', '--catch-up', range, ...more]).finally(() => {
      over = true;
    });
    while (!over) await night.advance(1_000);
    return ran;
  };

  it('trains each missed date in order and leaves out what is trained already', async () => {
    const ran = await catchUp('2026-11-22..2026-11-24');
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('Night of 2026-11-22 (1 of 3)');
    expect(ran.out).toContain(
      'Nobody was trained for 2026-11-24: 2 tenants, all trained for this date already.',
    );
    expect(ran.out).toContain('3 of 3 nights succeeded.');
    for (const logicalDate of ['2026-11-22', '2026-11-23']) {
      const runs = await control.runs.listRuns({ logicalDate });
      expect(runs.map(({ tenantId, status }) => [tenantId, status]).sort()).toEqual([
        ['acme', 'succeeded'],
        ['globex', 'succeeded'],
      ]);
    }
    expect(await control.runs.listRuns({ logicalDate: '2026-11-24' })).toHaveLength(2);
  });

  it('goes on with the night of a date that runs already, as does a night that is asked for twice', async () => {
    const machine = 'nightly-training';
    await control.workflows.start({
      machine,
      name: 'first',
      input: { logicalDate: '2026-11-15', trigger: 'manual' },
    });
    const ran = await catchUp('2026-11-15..2026-11-15');
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('nightly-training/first runs already; going on with it.');
    expect(ran.out).not.toContain('busy');
    const names = async () => (await control.workflows.list({ machine, limit: 100 })).map(({ name }) => name);
    const before = await names();
    await control.workflows.start({ machine, name: 'today', input: { trigger: 'manual' } });
    const again = await epsilon(control, 'run', machine, '--no-wait');
    expect(again.out).toMatch(/today runs already .* nothing was started/);
    expect((await names()).sort()).toEqual([...before, 'today'].sort());
    await night.advance(60_000);
  });

  it('goes on after a night that fails, and names it with the command that redrives it', async () => {
    night.jobs.fate = ({ logicalDate }) =>
      logicalDate === '2026-11-18' ? { exitCode: 65, message: 'no' } : {};
    const ran = await catchUp('2026-11-18..2026-11-19', '--json');
    expect(ran.code).toBe(1);
    expect(ran.json()).toMatchObject({
      nights: [
        { logicalDate: '2026-11-18', execution: { status: 'FAILED' } },
        { logicalDate: '2026-11-19', execution: { status: 'SUCCEEDED' } },
      ],
    });
    expect(ran.err).toContain('1 of 2 nights failed (2026-11-18)');
    expect(ran.err).toContain('redrive nightly-training/');
  });

  it.each([
    [['tenant-model-training', '--catch-up', '2026-11-20..2026-11-21', '--tenant', 'acme'], 'is for nights'],
    [['nightly-training', '--catch-up', '2026-11-20..2026-11-21', '--name', 'x'], 'leave out --name'],
    [['nightly-training', '--catch-up', '2026-11-20..2026-11-21', '--no-wait'], 'leave out --no-wait'],
    [['nightly-training', '--catch-up', '2026-11-21..2026-11-20'], 'ends before it begins'],
  ])('%j is refused before anything begins', async (args, words) => {
    const before = await control.workflows.list({ limit: 100 });
    const ran = await epsilon(control, 'run', ...args);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(words);
    expect(await control.workflows.list({ limit: 100 })).toEqual(before);
  });
});
