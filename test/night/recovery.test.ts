import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fenceFloor } from '../../lib/backup/recovery.ts';
import { restorePoint } from '../../local/backup/open-backups.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import { type Night, openNight } from './harness.ts';

const tenants = ['acme', 'beta', 'gamma'];

let night: Night;

afterEach(async () => {
  expect(night.faults).toEqual([]);
  await night.runtime.close();
});

/** The process dies, its state directory and its jobs are lost, and the newest point is restored and approved. */
async function loseAndRestore(): Promise<void> {
  const { path } = night.runtime.state;
  await night.restart(async () => {
    rmSync(path, { recursive: true });
    night.jobs.observations.clear();
    const options = {
      projectDir: resolve('.'),
      stateDir: path,
      variables: {},
      clock: night.clock,
      ids: sequentialIds('R'),
    };
    const wanted = { to: 'newest' };
    const { prepared } = await restorePoint(options, { wanted, into: path });
    const { promoted } = await restorePoint(options, { wanted, into: path, approve: prepared.digest });
    expect(promoted).toBe(true);
  });
}

const succeeded = async (logicalDate: string) => {
  const runs = await night.runtime.control.runs.listRuns({ logicalDate, status: 'succeeded' });
  return runs.map(({ tenantId }) => tenantId).sort();
};

describe('a night after a restore', () => {
  it('F40: makes up for the one that the point does not know, and trains each tenant once, under fences of its own', async () => {
    night = await openNight();
    await night.add(...tenants);
    await night.runtime.control.backups.run();
    await night.advance(180_000);
    expect(await succeeded('2026-11-24')).toEqual(tenants);
    await loseAndRestore();
    expect(await succeeded('2026-11-24')).toEqual([]);
    await night.advance(120_000);
    expect(await succeeded('2026-11-24')).toEqual(tenants);
    for (const tenantId of tenants)
      expect((await night.runtime.control.models.live(tenantId))?.fence).toBeGreaterThan(fenceFloor(1));
    await night.until(await night.fire('2026-11-25T02:00:00.000Z'));
    expect(await succeeded('2026-11-25')).toEqual(tenants);
    expect(night.jobs.specs.filter(({ stage }) => stage === 'train')).toHaveLength(3 * tenants.length);
  });

  it('F40: starts nothing of what was under way, and a redrive of the lost night trains every tenant', async () => {
    night = await openNight();
    night.jobs.fate = ({ stage }) => (stage === 'train' ? { seconds: 900 } : {});
    await night.add(...tenants);
    await night.advance(120_000);
    const before = night.jobs.specs.length;
    expect(night.jobs.live()).toHaveLength(tenants.length);
    await night.runtime.control.backups.run();
    await loseAndRestore();
    await night.advance(120_000);
    expect(night.jobs.specs).toHaveLength(before);
    const { control } = night.runtime;
    expect(await control.workflows.list({ status: 'RUNNING' })).toEqual([]);
    const [lost] = await control.workflows.list({ machine: 'nightly-training', limit: 1 });
    expect(await control.workflows.describe(lost?.executionArn ?? '')).toMatchObject({
      status: 'ABORTED',
      error: 'LostInRecovery',
    });
    await control.workflows.redrive(lost?.executionArn ?? '');
    expect(await night.until(lost?.executionArn ?? '')).toMatchObject({ status: 'SUCCEEDED' });
    expect([...new Set(await succeeded('2026-11-24'))]).toEqual(tenants);
    for (const tenantId of tenants) expect(await control.models.live(tenantId)).toBeDefined();
  });
});
