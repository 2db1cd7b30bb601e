import type { Context } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { handler } from '../../../functions/training/settle-run.ts';
import { anAttempt, aRun } from '../../fixtures/records.ts';
import { Plane } from './plane.ts';

const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 1_000 } as Context;

const detail = {
  executionArn: aRun().executionArn,
  name: aRun().runId,
  status: 'ABORTED',
  redriveCount: 0,
};

const event = {
  source: 'aws.states',
  'detail-type': 'Step Functions Execution Status Change',
  detail,
};

describe('the end of an execution', () => {
  let plane: Plane;
  const send = (sent: unknown) => handler.withPorts(plane.ports)(sent, context);
  const stands = async () => [
    await plane.ports.runs.getRun(aRun().runId),
    await plane.ports.runs.getAttempt(anAttempt()),
  ];

  beforeEach(async () => {
    plane = new Plane('SQLite');
    await plane.ports.runs.createRun(aRun());
    await plane.ports.runs.createAttempt(anAttempt());
  });

  it('ends the run of that execution and stops its job', async () => {
    expect(await send(event)).toEqual({ outcome: 'settled' });
    expect(await stands()).toMatchObject([{ status: 'aborted' }, { status: 'cancelled' }]);
    expect(plane.called('cancel')).toHaveLength(1);
  });

  it.each([
    ['another execution of this name', { ...event, detail: { ...detail, executionArn: 'arn:another' } }],
    ['a run that is not on record', { ...event, detail: { ...detail, name: 'acme-2026-11-25' } }],
  ])('of %s changes nothing', async (_, forged) => {
    const before = await stands();
    expect(await send(forged)).toEqual({ outcome: 'unknown' });
    expect(await stands()).toEqual(before);
    expect(plane.called('cancel')).toEqual([]);
  });

  it('of an earlier try changes nothing', async () => {
    await plane.ports.runs.updateRun(aRun().runId, { redriveCount: 1 });
    const before = await stands();
    expect(await send(event)).toEqual({ outcome: 'nothing to do' });
    expect(await stands()).toEqual(before);
  });

  it.each([
    ['our own source, which others may write under', { ...event, source: 'epsilon.training' }],
    ['another type', { ...event, 'detail-type': 'Run State Change' }],
  ])('is refused with %s', async (_, forged) => {
    const before = await stands();
    await expect(send(forged)).rejects.toMatchObject({ code: 'EVENT_SCHEMA' });
    expect(await stands()).toEqual(before);
  });
});
