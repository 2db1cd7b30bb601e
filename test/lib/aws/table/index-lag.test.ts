import { describe, expect, it } from 'vitest';
import { openMemoryStores } from '../../../dynamodb/memory-stores.ts';
import { anAttempt, aRun } from '../../../fixtures/records.ts';

const everything = { shard: 0, shards: 1 };

describe('an index that lags behind', () => {
  it('reads that decide a night are correct while the index lags', async () => {
    const { runs, dynamo } = openMemoryStores();
    dynamo.table.holdIndexes();
    await runs.createRun(aRun({ nightArn: 'night' }));
    await runs.updateRun('acme-2026-11-24', { status: 'succeeded' });
    for (const filter of [{ logicalDate: '2026-11-24' }, { tenantId: 'acme' }, { nightArn: 'night' }])
      expect(await runs.listRuns(filter)).toMatchObject([{ status: 'succeeded' }]);
  });

  it('open work that has closed is dropped, and new work is found a moment later, while the index lags', async () => {
    const { runs, dynamo } = openMemoryStores();
    await runs.createRun(aRun());
    await runs.createAttempt(anAttempt());
    dynamo.table.holdIndexes();
    await runs.updateAttempt(
      anAttempt(),
      { settledAt: '2026-11-24T03:00:00.000Z', taskToken: null },
      { status: ['submitted'] },
    );
    await runs.updateRun('acme-2026-11-24', { status: 'failed' });
    await runs.createAttempt(anAttempt({ runId: 'new' }));
    expect(await runs.listOpenAttempts(everything)).toEqual([]);
    expect(await runs.listRunningRuns(everything)).toEqual([]);
    dynamo.table.releaseIndexes();
    expect(await runs.listOpenAttempts(everything)).toMatchObject([{ runId: 'new' }]);
  });

  it('lists span pages of every size while the index lags', async () => {
    const { runs, tenants, dynamo } = openMemoryStores();
    dynamo.table.pageBytes = 300;
    for (let run = 0; run < 25; run += 1) {
      await runs.createRun(aRun({ runId: `run-${run}` }));
      await runs.createAttempt(anAttempt({ runId: `run-${run}` }));
    }
    expect(await runs.listRuns({ logicalDate: '2026-11-24' })).toHaveLength(25);
    expect(await runs.listRuns({ tenantId: 'acme', limit: 7 })).toHaveLength(7);
    expect(await runs.listRuns({ status: 'running' })).toHaveLength(25);
    expect(await runs.listRuns({ status: 'failed' })).toEqual([]);
    expect(await runs.listOpenAttempts(everything)).toHaveLength(25);
    expect(await tenants.list()).toEqual([]);
  });
});
