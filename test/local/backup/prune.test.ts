import { existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { preparePoint } from '../../../lib/operations/backup/restore-point.ts';
import type { Attempt } from '../../../lib/training/run.ts';
import { FileBackupRepository } from '../../../local/backup/file-repository.ts';
import { StateTarget } from '../../../local/backup/state-target.ts';
import { anAttempt } from '../../fixtures/records.ts';
import { sequentialIds } from '../../fixtures/sequential-ids.ts';
import { freshDir } from '../asl/harness.ts';
import { passingNights, sizeOf } from './nights.ts';

async function passed(nights: number, options = { backedUp: true }) {
  const state = passingNights(freshDir(), ['acme'], 2_000);
  await state.begin();
  for (let night = 0; night < nights; night += 1) await state.night(options);
  return state;
}

describe('pruning', () => {
  it('removes superseded models, their objects, old runs and executions, and leaves what answers', async () => {
    const state = await passed(38, { backedUp: false });
    const models = await state.stores.models.list('acme');
    await state.backups.run();
    const planned = await state.backups.prune({ dryRun: true });
    expect(await state.stores.models.list('acme')).toEqual(models);
    const pruned = await state.backups.prune({ dryRun: false });
    expect(pruned.records).toEqual(planned.records);
    expect(pruned.backups.points).toBe(planned.backups.points);
    expect(pruned.records).toMatchObject({ models: 33, runs: 8, executions: 8 });
    const left = await state.stores.models.list('acme');
    expect(left).toHaveLength(5);
    for (const { modelUri, indexUri } of left) {
      expect(await state.objects.head(modelUri)).toBeDefined();
      expect(await state.objects.head(indexUri)).toBeDefined();
    }
    expect(await state.stores.runs.listRuns({ tenantId: 'acme' })).toHaveLength(30);
    expect(readdirSync(join(state.state.jobs)).length).toBeLessThanOrEqual(15 * 6);
    expect(readdirSync(join(state.state.objects, 'bucket-a', 'acme', 'runs')).length).toBeLessThanOrEqual(16);
    expect((await state.backups.prune({ dryRun: false })).records).toMatchObject({
      models: 0,
      runs: 0,
      executions: 0,
      objects: 0,
    });
    await state.close();
  });

  it("removes old attempts of jobs that look at tenants' data, unless they are open", async () => {
    const state = await passed(1);
    const { runs } = state.stores;
    const at = (daysAgo: number) => new Date(state.clock.now() - daysAgo * 86_400_000).toISOString();
    const attempt = (runId: string, daysAgo: number, over: Partial<Attempt> = {}) =>
      anAttempt({
        runId,
        stage: 'profile',
        intentAt: at(daysAgo),
        status: 'succeeded',
        settledAt: at(daysAgo),
        ...over,
      });
    await runs.createAttempt(attempt('old', 31));
    await runs.createAttempt(attempt('young', 29));
    const { settledAt: _, ...open } = attempt('open', 31, { status: 'running' });
    await runs.createAttempt(open);
    await state.backups.prune({ dryRun: false });
    const left = await Promise.all(['old', 'young', 'open'].map((runId) => runs.listAttempts(runId)));
    expect(left.map(({ length }) => length)).toEqual([0, 1, 1]);
    await state.close();
  });

  it('leaves every point that is still offered whole: the oldest can be restored to its last pointer', async () => {
    const state = await passed(8);
    await state.backups.prune({ dryRun: false });
    const repository = new FileBackupRepository(state.folder);
    const points = await repository.points();
    expect(points.length).toBeLessThan(16);
    const parts = { clock: state.clock, ids: sequentialIds() };
    for (const { id } of [points[0], points.at(-1)].filter((point) => point !== undefined)) {
      const target = new StateTarget(join(freshDir(), 'restored'), parts);
      const { verification } = await preparePoint({ repository, target, ...parts }, { id }, 'os:tester');
      expect(verification.faults).toEqual([]);
      expect(verification.pointers).toBeGreaterThan(0);
      await target.close({ keep: false });
    }
    await state.close();
  });

  it('F35: removes nothing when the newest point is damaged', async () => {
    const state = await passed(6);
    const before = (await new FileBackupRepository(state.folder).points()).length;
    const newest = await new FileBackupRepository(state.folder).newest();
    const { sha256 = '' } = newest?.databases[0]?.pieces[0] ?? {};
    writeFileSync(join(state.folder, 'pool', sha256.slice(0, 2), sha256), 'damaged');
    await expect(state.backups.prune({ dryRun: false })).rejects.toMatchObject({ code: 'BACKUP_CORRUPT' });
    expect(await new FileBackupRepository(state.folder).points()).toHaveLength(before);
    expect(await state.stores.models.list('acme')).toHaveLength(6);
    await state.close();
  });

  it('keeps all content while one point cannot be read, because what it consists of is not known', async () => {
    const state = await passed(3);
    const [oldest] = readdirSync(join(state.folder, 'points')).sort();
    const newest = readdirSync(join(state.folder, 'points')).sort().at(-1) ?? '';
    await state.backups.run();
    writeFileSync(join(state.folder, 'points', newest), '{}');
    rmSync(join(state.folder, 'points', oldest ?? ''));
    const before = sizeOf(join(state.folder, 'pool'));
    expect((await state.backups.prune({ dryRun: false })).backups).toMatchObject({ pieces: 0 });
    expect(sizeOf(join(state.folder, 'pool'))).toEqual(before);
    await state.close();
  });

  it('begins a new log where the present one has grown large, and keeps the one before it', async () => {
    const state = await passed(1);
    const log = join(state.state.logs, 'control-plane.jsonl');
    writeFileSync(log, 'a line\n');
    await state.backups.prune({ dryRun: false });
    expect(existsSync(log)).toBe(true);
    truncateSync(log, 65 * 1_048_576);
    await state.backups.prune({ dryRun: false });
    expect(existsSync(log)).toBe(false);
    expect(statSync(`${log}.1`).size).toBe(65 * 1_048_576);
    await state.close();
  });

  it('keeps up by itself once a day where backups are made by themselves', async () => {
    const state = await passed(6);
    await state.backups.keepUp();
    const settle = async () => {
      for (let calm = 0; calm < 50; calm += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      await state.backups.idle();
    };
    await state.clock.advance(0);
    await settle();
    expect(await state.stores.models.list('acme')).toHaveLength(5);
    await state.close();
  });
});
