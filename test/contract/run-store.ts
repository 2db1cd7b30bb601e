import { describe, expect, it } from 'vitest';
import type { LeaseStore } from '../../lib/ports/lease-store.ts';
import type { RunStore } from '../../lib/ports/run-store.ts';
import { anAttempt, aRun } from '../fixtures/records.ts';

/** A run store, empty, and the leases of the same tenants. */
export interface RunStores {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
}

const at = (minute: number) => `2026-11-24T02:${String(minute).padStart(2, '0')}:00.000Z`;

/** What every RunStore must do. */
export function describeRunStore(name: string, makeStores: () => Promise<RunStores>): void {
  const make = async () => (await makeStores()).runs;

  describe(`RunStore: ${name}`, () => {
    it('a run is created once: the second creation returns the first', async () => {
      const store = await make();
      expect(await store.createRun(aRun({ seed: 1 }))).toMatchObject({ seed: 1 });
      expect(await store.createRun(aRun({ seed: 2 }))).toMatchObject({ seed: 1 });
      expect(await store.getRun('acme-2026-11-24')).toMatchObject({ seed: 1 });
      expect(await store.getRun('nobody')).toBeUndefined();
    });

    it('a run changes only from the expected status and redrive count, and loses what null is given for', async () => {
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
      const taken = await store.updateRun('acme-2026-11-24', { status: 'running', error: null, cause: null });
      expect([taken, await store.getRun('acme-2026-11-24')].map((run) => Object.keys(run ?? {}))).toEqual([
        expect.not.arrayContaining(['error', 'cause']),
        expect.not.arrayContaining(['error', 'cause']),
      ]);
    });

    it('runs are listed by tenant, date, status and night, newest first', async () => {
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
      expect(await ids({ tenantId: 'acme', logicalDate: '2026-11-24' })).toEqual(['b', 'a']);
      expect(await ids({ tenantId: 'acme', status: 'running', limit: 1 })).toEqual(['a']);
      expect(await ids({ tenantId: 'beta', logicalDate: '2026-11-24' })).toEqual([]);
      expect(await ids({})).toEqual(['c', 'b', 'a']);
    });

    it('a run whose status changed is listed with it at once', async () => {
      const store = await make();
      await store.createRun(aRun());
      await store.updateRun('acme-2026-11-24', { status: 'succeeded' });
      expect(await store.listRuns({ logicalDate: '2026-11-24' })).toMatchObject([{ status: 'succeeded' }]);
      expect(await store.listRuns({ status: 'running' })).toEqual([]);
    });

    it('running runs are listed by shard, each in exactly one, also those that run again', async () => {
      const store = await make();
      for (let run = 0; run < 30; run += 1) await store.createRun(aRun({ runId: `run-${run}` }));
      await store.createRun(aRun({ runId: 'skipped', status: 'skipped' }));
      await store.updateRun('run-0', { status: 'failed' });
      await store.updateRun('run-1', { status: 'failed' });
      await store.updateRun('run-1', { status: 'running', redriveCount: 1 });
      const found: string[] = [];
      for (let shard = 0; shard < 3; shard += 1)
        found.push(...(await store.listRunningRuns({ shard, shards: 3 })).map(({ runId }) => runId));
      expect(found.sort()).toEqual(
        Array.from({ length: 30 }, (_, run) => `run-${run}`)
          .filter((runId) => runId !== 'run-0')
          .sort(),
      );
    });

    it('a record is stored as given, whatever its objects hold; a cause that is too long is cut', async () => {
      const store = await make();
      const run = aRun({ resources: { train: { cpu: 1e-200, memoryMiB: 64 } }, nightArn: 'night' });
      await store.createRun(run);
      expect(await store.getRun(run.runId)).toEqual(run);
      let deep: Record<string, unknown> = { end: true };
      for (let depth = 0; depth < 60; depth += 1) deep = { deep };
      const result = { tiny: 1e-200, huge: 1e300, nothing: null, empty: '', list: [], deep };
      await store.createAttempt(anAttempt());
      await store.updateAttempt(
        anAttempt(),
        { result, cause: 'x'.repeat(500_000) },
        { status: ['submitted'] },
      );
      const after = await store.getAttempt(anAttempt());
      expect(after?.result).toEqual(result);
      expect(after?.cause).toHaveLength(8_192);
    });

    it('a run is read with its attempts in one call, oldest intent first and without tokens', async () => {
      const store = await make();
      expect(await store.getRunWithAttempts('acme-2026-11-24')).toBeUndefined();
      await store.createRun(aRun());
      await store.createAttempt(anAttempt({ stage: 'train', intentAt: at(2) }));
      await store.createAttempt(anAttempt({ stage: 'prepare', intentAt: at(1) }));
      await store.createAttempt(anAttempt({ runId: 'another' }));
      const found = await store.getRunWithAttempts('acme-2026-11-24');
      expect(found?.run).toEqual(aRun());
      expect(found?.attempts.map(({ stage }) => stage)).toEqual(['prepare', 'train']);
      for (const attempt of [...(found?.attempts ?? []), ...(await store.listAttempts('acme-2026-11-24'))])
        expect(attempt).not.toHaveProperty('taskToken');
    });

    it('attempt n is created only after attempt n - 1 is over', async () => {
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

    it('an attempt and the renewal of its lease are one write, or neither is written', async () => {
      const { runs, leases } = await makeStores();
      const { fence } = await leases.acquire({
        tenantId: 'acme',
        holder: 'r',
        now: at(0),
        expiresAt: at(15),
      });
      const lease = { tenantId: 'acme', holder: 'r', fence, expiresAt: at(40) };
      await runs.createAttempt(anAttempt(), { lease });
      expect(await leases.get('acme')).toMatchObject({ holder: 'r', fence, expiresAt: at(40) });
      await expect(
        runs.createAttempt(anAttempt(), { lease: { ...lease, expiresAt: at(50) } }),
      ).rejects.toMatchObject({ name: 'ConditionFailed' });
      expect(await leases.get('acme')).toMatchObject({ expiresAt: at(40) });
    });

    it.each([
      ['nobody ever took', async () => {}],
      [
        'another run took after it expired',
        async (leases: LeaseStore) => {
          await leases.acquire({ tenantId: 'acme', holder: 'r', now: at(0), expiresAt: at(1) });
          await leases.acquire({ tenantId: 'acme', holder: 'other', now: at(2), expiresAt: at(9) });
        },
      ],
      [
        'was given back',
        async (leases: LeaseStore) => {
          await leases.acquire({ tenantId: 'acme', holder: 'r', now: at(0), expiresAt: at(9) });
          await leases.release({ tenantId: 'acme', holder: 'r', fence: 1 });
        },
      ],
    ])('F29: no attempt is created under a lease that %s', async (_, prepare) => {
      const { runs, leases } = await makeStores();
      await prepare(leases);
      await expect(
        runs.createAttempt(anAttempt(), {
          lease: { tenantId: 'acme', holder: 'r', fence: 1, expiresAt: at(40) },
        }),
      ).rejects.toMatchObject({ name: 'StaleFence' });
      expect(await runs.getAttempt(anAttempt())).toBeUndefined();
    });

    it('a refused creation returns the existing attempt instead of throwing, when asked to', async () => {
      const store = await make();
      for (const expected of [{ status: ['submitted'] }, { strayJobId: null }, {}] as const)
        expect(await store.changeAttempt(anAttempt(), { status: 'failed' }, expected)).toEqual({
          changed: false,
        });
      expect(await store.getAttempt(anAttempt())).toBeUndefined();
      await store.createAttempt(anAttempt());
      expect(
        await store.changeAttempt(
          anAttempt(),
          { status: 'failed' },
          { status: ['submitted'], jobName: 'another-job' },
          { withToken: true },
        ),
      ).toMatchObject({ changed: false, attempt: { status: 'submitted', taskToken: 'token-1' } });
      expect(
        await store.changeAttempt(
          anAttempt(),
          { status: 'failed', taskToken: 'token-2' },
          { status: ['submitted'], jobName: anAttempt().jobName },
          { withToken: true },
        ),
      ).toMatchObject({ changed: true, attempt: { status: 'failed', taskToken: 'token-2' } });
      expect(await store.latestAttempt('acme-2026-11-24', 'train')).toMatchObject({ taskToken: 'token-2' });
    });

    it('gives no token with a change unless it is asked for it', async () => {
      const store = await make();
      await store.createAttempt(anAttempt());
      for (const status of ['submitted', 'intent'] as const) {
        const { attempt } = await store.changeAttempt(anAttempt(), { cause: 'x' }, { status: [status] });
        expect(attempt).toMatchObject({ attempt: 1 });
        expect(attempt).not.toHaveProperty('taskToken');
      }
      const changed = await store.updateAttempt(
        anAttempt(),
        { taskToken: 'token-2' },
        { status: ['submitted'] },
      );
      expect(changed).not.toHaveProperty('taskToken');
    });

    it.each([
      ['another submission was begun', { submitBegunAt: at(2) }],
      ['no submission is under way', { submitBegunAt: null }],
      ['its job is another one', { jobId: 'job-2' }],
      ['it has no job yet', { jobId: null }],
      ['it has a second job', { strayJobId: 'job-2' }],
      ['what is told is of a second job', { ofJob: 'job-2' }],
      ['a later try has it', { maxRedriveCount: 0 }],
      ['a later retry has it', { maxRedriveCount: 1, maxRetryCount: 1 }],
      ['it is another tenant’s', { tenantId: 'beta' }],
      ['its jobs run elsewhere', { backends: ['batch', 'eks'] }],
    ] as const)('refuses a change to an attempt that is not as expected: %s', async (_, expectation) => {
      const store = await make();
      await store.createAttempt(anAttempt({ submitBegunAt: at(1), redriveCount: 1, retryCount: 2 }));
      const change = (expected: object) =>
        store.changeAttempt(anAttempt(), { cause: 'x' }, { status: ['submitted'], ...expected });
      expect(await change(expectation)).toMatchObject({ changed: false });
      const right = {
        submitBegunAt: at(1),
        jobId: 'job-1',
        ofJob: 'job-1',
        maxRedriveCount: 1,
        maxRetryCount: 2,
        tenantId: 'acme',
        backends: ['local'],
        tokenDigest: 'digest-1',
        jobName: anAttempt().jobName,
      };
      expect(await change(right)).toMatchObject({ changed: true });
    });

    it('takes a retry count for that of one try: a later try starts again at none', async () => {
      const store = await make();
      await store.createAttempt(anAttempt({ redriveCount: 1, retryCount: 2 }));
      const later = { maxRedriveCount: 2, maxRetryCount: 0 };
      const entered = { redriveCount: 2, retryCount: 0 };
      expect(await store.changeAttempt(anAttempt(), entered, later)).toMatchObject({ changed: true });
      expect(await store.changeAttempt(anAttempt(), entered, later)).toMatchObject({ changed: true });
      const earlier = { maxRedriveCount: 1, maxRetryCount: 3 };
      expect(await store.changeAttempt(anAttempt(), entered, earlier)).toMatchObject({ changed: false });
    });

    it('takes an attempt without job or submission for one of which none is expected', async () => {
      const store = await make();
      const { jobId: _, ...attempt } = anAttempt();
      await store.createAttempt(attempt);
      const none = { status: ['submitted'], submitBegunAt: null, jobId: null, ofJob: 'job-1' } as const;
      expect(await store.changeAttempt(attempt, { cause: 'x' }, none)).toMatchObject({ changed: true });
    });

    it('changes a run only while no newer fence is noted on it', async () => {
      const store = await make();
      await store.createRun(aRun({ fence: 3 }));
      const change = (maxFence: number) => store.updateRun(aRun().runId, { fence: maxFence }, { maxFence });
      await expect(change(2)).rejects.toMatchObject({ name: 'ConditionFailed' });
      expect(await change(4)).toMatchObject({ fence: 4 });
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

    it('an attempt changes only under the expected status and token; fields set to null are removed', async () => {
      const store = await make();
      await store.createAttempt(anAttempt());
      await expect(
        store.updateAttempt(anAttempt(), { status: 'running' }, { status: ['intent'] }),
      ).rejects.toMatchObject({ name: 'ConditionFailed' });
      await expect(
        store.updateAttempt(anAttempt(), {}, { status: ['submitted'], tokenDigest: 'another' }),
      ).rejects.toMatchObject({ name: 'ConditionFailed' });
      const changed = await store.updateAttempt(
        anAttempt(),
        { taskToken: null, settledAt: '2026-11-24T03:00:00.000Z' },
        { status: ['submitted'], tokenDigest: 'digest-1' },
      );
      expect(changed).not.toHaveProperty('taskToken');
      expect(await store.getAttempt(anAttempt())).not.toHaveProperty('taskToken');
    });

    it('unsettled attempts are listed, each in exactly one shard', async () => {
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

    it('a change of the number of shards loses no attempt, and a reopened one is listed again', async () => {
      const store = await make();
      for (let run = 0; run < 40; run += 1) await store.createAttempt(anAttempt({ runId: `run-${run}` }));
      for (const shards of [1, 3, 7, 64]) {
        const found: string[] = [];
        for (let shard = 0; shard < shards; shard += 1)
          found.push(...(await store.listOpenAttempts({ shard, shards })).map(({ runId }) => runId));
        expect(found).toHaveLength(40);
        expect(new Set(found).size).toBe(40);
      }
      const key = anAttempt({ runId: 'run-7' });
      const open = async () => (await store.listOpenAttempts({ shard: 0, shards: 1 })).length;
      await store.updateAttempt(key, { settledAt: at(9), taskToken: null }, { status: ['submitted'] });
      expect(await open()).toBe(39);
      await store.updateAttempt(key, { settledAt: null, taskToken: 'token-9' }, { status: ['submitted'] });
      expect(await open()).toBe(40);
    });

    it('open attempts of more than one page are listed, oldest intent first', async () => {
      const store = await make();
      const minutes = Array.from({ length: 150 }, (_, run) => (run * 37) % 60);
      for (const [run, minute] of minutes.entries())
        await store.createAttempt(anAttempt({ runId: `many-${run}`, intentAt: at(minute) }));
      const found = await store.listOpenAttempts({ shard: 0, shards: 1 });
      expect(found.map(({ intentAt }) => intentAt)).toEqual(minutes.map(at).sort());
      expect(await store.listOpenAttempts({ shard: 0, shards: 1, limit: 5 })).toEqual(found.slice(0, 5));
    });
  });
}
