import type { Context } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { handler as beginRun } from '../../../functions/training/begin-run.ts';
import { handler as completeJob } from '../../../functions/training/complete-job.ts';
import { handler as loadTenants } from '../../../functions/training/load-tenants.ts';
import { handler as submitStage } from '../../../functions/training/submit-stage.ts';
import type { OpenedStage } from '../../../lib/operations/attempts/open-attempt.ts';
import { aRun, aTenant } from '../../fixtures/records.ts';
import { Plane, start } from './plane.ts';

const executionArn = 'airflow:tenant_model_training/manual__1';
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 } as Context;
const iso = (ms: number) => new Date(ms).toISOString();
const hour = 3_600_000;

describe.each(['SQLite', 'DynamoDB'] as const)('a run that Airflow drives, over %s', (kind) => {
  let plane: Plane;
  let submitted: string[];

  beforeEach(async () => {
    submitted = [];
    plane = new Plane(kind, 1, {
      namesAreIds: true,
      podOf: ({ jobName }) => ({ metadata: { name: jobName } }),
      submit: async ({ jobName }) => {
        submitted.push(jobName);
        return { jobName, jobId: jobName };
      },
    });
    plane.state = () => undefined;
    const { tenantId, runId: holder } = aRun();
    const lease = { tenantId, holder, now: iso(start), expiresAt: iso(start + 900_000) };
    const { fence } = await plane.ports.leases.acquire(lease);
    await plane.ports.runs.createRun(aRun({ fence, executionArn }));
  });

  const enter = (taskToken: string, over: Record<string, unknown> = {}) =>
    submitStage.withPorts(plane.ports)(
      {
        runId: aRun().runId,
        stage: 'prepare',
        taskToken,
        execution: { id: executionArn, redriveCount: 0 },
        startedBy: 'airflow',
        ...over,
      },
      context,
    ) as Promise<OpenedStage>;

  async function opened(taskToken: string) {
    const stage = await enter(taskToken);
    if (stage.outcome !== 'opened') throw new Error(`${taskToken}: ${stage.outcome}`);
    return stage.contract;
  }

  const report = (event: Readonly<Record<string, unknown>>, end: Readonly<Record<string, unknown>>) => {
    const { data, ...detail } = event['detail'] as { data: object };
    return completeJob.withPorts(plane.ports)(
      { ...event, detail: { ...detail, data: { ...data, ...end } } },
      context,
    );
  };

  const attempts = () => plane.ports.runs.listAttempts(aRun().runId);

  it('a stage opens an attempt with the whole pod and submits nothing', async () => {
    const contract = await opened('try-1');
    expect(contract).toMatchObject({
      attempt: 1,
      image: aRun().images['data-pipeline'],
      pod: { metadata: { name: contract.jobName } },
    });
    expect(contract.arguments).toEqual([
      '--tenant-id',
      'acme',
      '--output',
      expect.stringMatching(/\/prepare\/1\/$/),
    ]);
    expect(await attempts()).toMatchObject([{ status: 'intent', jobName: contract.jobName, executionArn }]);
    expect(submitted).toEqual([]);
  });

  it('the same try gets its attempt again; the next try gets another one, and the open one is lost', async () => {
    const first = await opened('try-1');
    expect(await opened('try-1')).toEqual(first);
    expect((await opened('try-2')).attempt).toBe(2);
    expect(await attempts()).toMatchObject([
      { status: 'lost', attempt: 1 },
      { status: 'intent', attempt: 2 },
    ]);
    await expect(
      report(first.event, { state: 'succeeded', reason: 'completed', exitCode: 0 }),
    ).resolves.toEqual({
      outcome: 'repeated',
    });
  });

  it('a reported end is recorded without an answer to anybody, and the stage is answered from then on', async () => {
    const { event } = await opened('try-1');
    const end = { state: 'succeeded', reason: 'completed', exitCode: 0, result: { documents: 12 } };
    expect(await report(event, end)).toEqual({ outcome: 'settled' });
    expect(await attempts()).toMatchObject([{ status: 'succeeded', result: { documents: 12 } }]);
    expect(plane.calls).toEqual([]);
    expect(await enter('try-2')).toEqual({ outcome: 'answered' });
  });

  it('a try whose attempt has failed opens no second one', async () => {
    const { event } = await opened('try-1');
    await report(event, { state: 'failed', reason: 'error', exitCode: 1, message: 'no' });
    await expect(enter('try-1')).rejects.toMatchObject({ code: 'ATTEMPT_OVER' });
    expect((await opened('try-2')).attempt).toBe(2);
  });

  it('a scheduler that the run does not belong to is refused', async () => {
    await expect(enter('token', { startedBy: undefined, retryCount: 0 })).rejects.toMatchObject({
      code: 'SCHEDULED_ELSEWHERE',
    });
    const other = aRun({ runId: 'other', executionArn: 'arn:other' });
    await plane.ports.runs.createRun(other);
    await expect(enter('token', { runId: 'other' })).rejects.toMatchObject({ code: 'SCHEDULED_ELSEWHERE' });
    expect(await attempts()).toEqual([]);
  });

  it('the reconciler submits nothing for it, and keeps its lease while a pod may run', async () => {
    await opened('try-1');
    await plane.clock.advance(hour);
    expect(await plane.invoke()).toMatchObject({ lost: 0, settled: 0, runsEnded: 0 });
    expect(submitted).toEqual([]);
    expect(plane.calls).toEqual([]);
    const lease = await plane.ports.leases.get('acme');
    expect(Date.parse(lease?.expiresAt ?? '')).toBeGreaterThan(plane.clock.now());
  });

  it('the reconciler ends it when Airflow has been silent for six hours after its lease', async () => {
    await plane.clock.advance(6 * hour);
    expect(await plane.invoke()).toMatchObject({ runsEnded: 0 });
    await plane.clock.advance(hour);
    expect(await plane.invoke()).toMatchObject({ runsEnded: 1 });
    expect(await plane.ports.runs.getRun(aRun().runId)).toMatchObject({
      status: 'timed-out',
      error: 'AirflowSilent',
    });
    await expect(enter('late')).rejects.toMatchObject({ code: 'RUN_OVER' });
  });

  it('only tenants that are given to Airflow are named and begun by it, page by page', async () => {
    for (const tenantId of ['aa', 'bb', 'cc'])
      await plane.ports.tenants.put(aTenant({ tenantId, schedule: 'airflow' }), 0);
    await plane.ports.tenants.put(aTenant({ tenantId: 'ours' }), 0);
    const page = (after: string) =>
      loadTenants.withPorts(plane.ports)(
        { scheduler: 'airflow', logicalDate: '2026-11-24', after, limit: 2 },
        context,
      );
    expect(await page('')).toEqual({ tenants: ['aa', 'bb'], after: 'bb' });
    expect(await page('bb')).toEqual({ tenants: ['cc'], after: '' });
    const execution = { id: executionArn, name: 'ours-1', redriveCount: 0 };
    await expect(
      beginRun.withPorts(plane.ports)({ input: { tenantId: 'ours' }, execution }, context),
    ).rejects.toMatchObject({ code: 'SCHEDULED_ELSEWHERE' });
  });
});
