import { describe, expect, it } from 'vitest';
import type { OperatorApi } from '../../lib/ports/operator-api.ts';
import type { Run } from '../../lib/training/run.ts';
import { VirtualClock } from '../../local/clock/virtual-clock.ts';
import { aRun } from '../fixtures/records.ts';
import { epsilon } from './harness.ts';

const now = Date.parse('2026-11-27T12:00:00Z');

/** A control plane with these runs: tenant, day of November, status, error. */
function controlOf(...given: readonly (readonly [string, number, Run['status'], string?])[]): OperatorApi {
  const runs = given.map(([tenantId, day, status, error]) =>
    aRun({
      tenantId,
      runId: `${tenantId}-2026-11-${day}`,
      logicalDate: `2026-11-${day}`,
      startedAt: `2026-11-${day}T02:00:00.000Z`,
      status,
      ...(error === undefined ? {} : { error }),
    }),
  );
  return {
    clock: new VirtualClock(now),
    runs: {
      listRuns: async ({ logicalDate }: { logicalDate?: string }) =>
        runs.filter((run) => run.logicalDate === logicalDate),
    },
  } as unknown as OperatorApi;
}

describe('tenants worst', () => {
  const control = controlOf(
    ['acme', 27, 'failed', 'JobLost'],
    ['acme', 26, 'timed-out', 'States.Timeout'],
    ['beta', 27, 'failed', 'DATA_EMPTY'],
    ['beta', 26, 'succeeded'],
    ['delta', 27, 'aborted', 'OperatorStopped'],
    ['gamma', 27, 'succeeded'],
    ['gamma', 26, 'skipped'],
    ['omega', 20, 'failed', 'TooOld'],
  );

  it('lists those whose runs failed most within seven days, with the newest failure; most failures, then the greater share', async () => {
    const ran = await epsilon(control, '--json', 'tenants', 'worst');
    expect(ran.json()).toEqual({
      schemaVersion: 1,
      from: '2026-11-21',
      to: '2026-11-27',
      tenants: [
        { tenantId: 'acme', runs: 2, failed: 2, error: 'JobLost', newestFailure: 'acme-2026-11-27' },
        {
          tenantId: 'delta',
          runs: 1,
          failed: 1,
          error: 'OperatorStopped',
          newestFailure: 'delta-2026-11-27',
        },
        { tenantId: 'beta', runs: 2, failed: 1, error: 'DATA_EMPTY', newestFailure: 'beta-2026-11-27' },
      ],
    });
    const { out } = await epsilon(control, 'tenants', 'worst', '-n', '1', '--days', '8');
    expect(
      out
        .split('\n')
        .slice(0, 2)
        .map((line) => line.trim().split(/ {2,}/)),
    ).toEqual([
      ['TENANT', 'FAILED', 'RUNS', 'NEWEST FAILURE', 'ERROR'],
      ['acme', '2', '2', 'acme-2026-11-27', 'JobLost'],
    ]);
    expect(out).not.toContain('delta');
  });

  it('says when nothing failed, and refuses numbers that are none', async () => {
    const good = await epsilon(controlOf(['gamma', 27, 'succeeded']), 'tenants', 'worst');
    expect(good).toMatchObject({ code: 0, out: 'No run of 1 failed from 2026-11-21 to 2026-11-27.\n' });
    expect(await epsilon(control, 'tenants', 'worst', '--days', '91')).toMatchObject({ code: 2 });
  });
});
