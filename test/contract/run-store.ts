import { describe, expect, it } from 'vitest';
import type { RunStore } from '../../lib/ports/run-store.ts';
import { anAttempt, aRun } from '../fixtures/records.ts';

/** What every RunStore must do. */
export function describeRunStore(name: string, make: () => Promise<RunStore>): void {
  describe(`RunStore: ${name}`, () => {
    it('makes a run once: the second creation returns the first', async () => {
      const store = await make();
      expect(await store.createRun(aRun({ seed: 1 }))).toMatchObject({ seed: 1 });
      expect(await store.createRun(aRun({ seed: 2 }))).toMatchObject({ seed: 1 });
      expect(await store.getRun('acme-2026-11-24')).toMatchObject({ seed: 1 });
      expect(await store.getRun('nobody')).toBeUndefined();
    });

    it('changes a run only from the expected status and redrive count', async () => {
      const store = await make();
      await store.createRun(aRun({ redriveCount: 1 }));
      await expect(
        store.updateRun('acme-2026-11-24', { status: 'failed' }, { status: ['succeeded'] }),
      ).rejects.toMatchObject({ name: 'ConditionFailed' });
      await expect(
        store.updateRun('acme-2026-11-24', { status: 'failed' }, { maxRedriveCount: 0 }),
      ).rejects.toMatchObject({ name: 'ConditionFailed' });
      await expect(store.updateRun('nobody', { status: 'failed' })).rejects.toMatchObject({
        name: 'ConditionFailed',
      });
      expect(
        await store.updateRun(
          'acme-2026-11-24',
          { status: 'failed', error: 'X' },
          { status: ['running'], maxRedriveCount: 1 },
        ),
      ).toMatchObject({ status: 'failed', error: 'X' });
    });

    it('lists by tenant, date, status and night, newest first', async () => {
      const store = await make();
      const at = (hour: number) => `2026-11-24T0${hour}:00:00.000Z`;
      await store.createRun(aRun({ runId: 'a', startedAt: at(1), nightArn: 'n1' }));
      await store.createRun(aRun({ runId: 'b', startedAt: at(2), status: 'succeeded' }));
      await store.createRun(
        aRun({ runId: 'c', startedAt: at(3), tenantId: 'beta', logicalDate: '2026-11-23' }),
      );
      const ids = async (filter: Parameters<RunStore['listRuns']>[0]) =>
        (await store.listRuns(filter)).map((run) => run.runId);
      expect(await ids({ logicalDate: '2026-11-24' })).toEqual(['b', 'a']);
      expect(await ids({ tenantId: 'beta' })).toEqual(['c']);
      expect(await ids({ status: 'succeeded' })).toEqual(['b']);
      expect(await ids({ nightArn: 'n1' })).toEqual(['a']);
      expect(await ids({ logicalDate: '2026-11-24', limit: 1 })).toEqual(['b']);
    });

    it('gives attempt n only after attempt n - 1 is over', async () => {
      const store = await make();
      await expect(store.createAttempt(anAttempt({ attempt: 2 }))).rejects.toMatchObject({
        name: 'ConditionFailed',
      });
      await store.createAttempt(anAttempt());
      await expect(store.createAttempt(anAttempt())).rejects.toMatchObject({ name: 'ConditionFailed' });
      await expect(store.createAttempt(anAttempt({ attempt: 2 }))).rejects.toMatchObject({
        name: 'ConditionFailed',
      });
      await store.updateAttempt(anAttempt(), { status: 'failed' }, { status: ['submitted'] });
      await store.createAttempt(anAttempt({ attempt: 2 }));
      expect(await store.latestAttempt('acme-2026-11-24', 'train')).toMatchObject({ attempt: 2 });
      expect(await store.listAttempts('acme-2026-11-24')).toHaveLength(2);
    });

    it('of two writers that race for an attempt one loses', async () => {
      const store = await make();
      const results = await Promise.allSettled([
        store.createAttempt(anAttempt({ tokenDigest: 'one' })),
        store.createAttempt(anAttempt({ tokenDigest: 'two' })),
      ]);
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      const ends = await Promise.allSettled([
        store.updateAttempt(anAttempt(), { status: 'succeeded' }, { status: ['submitted'] }),
        store.updateAttempt(anAttempt(), { status: 'failed' }, { status: ['submitted'] }),
      ]);
      expect(ends.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('changes an attempt only under the expected status and token, and removes fields that are set to null', async () => {
      const store = await make();
      await store.createAttempt(anAttempt());
      await expect(
        store.updateAttempt(anAttempt(), { status: 'running' }, { status: ['intent'] }),
      ).rejects.toMatchObject({ name: 'ConditionFailed' });
      await expect(
        store.updateAttempt(anAttempt(), {}, { status: ['submitted'], taskToken: 'another' }),
      ).rejects.toMatchObject({ name: 'ConditionFailed' });
      const changed = await store.updateAttempt(
        anAttempt(),
        { taskToken: null, settledAt: '2026-11-24T03:00:00.000Z' },
        { status: ['submitted'], taskToken: 'token-1' },
      );
      expect(changed).not.toHaveProperty('taskToken');
      expect(await store.getAttempt(anAttempt())).not.toHaveProperty('taskToken');
    });

    it('lists what is not settled, each attempt in exactly one shard', async () => {
      const store = await make();
      for (let run = 0; run < 40; run += 1) await store.createAttempt(anAttempt({ runId: `run-${run}` }));
      await store.updateAttempt(
        anAttempt({ runId: 'run-0' }),
        { settledAt: '2026-11-24T03:00:00.000Z' },
        { status: ['submitted'] },
      );
      const found: string[] = [];
      for (let shard = 0; shard < 4; shard += 1)
        found.push(...(await store.listOpenAttempts({ shard, shards: 4 })).map((attempt) => attempt.runId));
      expect(found).toHaveLength(39);
      expect(new Set(found).size).toBe(39);
      expect(found).not.toContain('run-0');
      const [first] = await store.listOpenAttempts({ shard: 0, shards: 1, limit: 1 });
      expect(first).toMatchObject({ taskToken: 'token-1' });
    });
  });
}
