import {
  DescribeMapRunCommand,
  ListMapRunsCommand,
  SFNClient,
  UpdateMapRunCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createStepFunctionsWorkflows } from '../../../../lib/aws/stepfunctions/workflows.ts';

const sfn = mockClient(SFNClient);
const location = { partition: 'aws', accountId: '123456789012', region: 'us-west-2', environment: 'dev' };
const workflows = createStepFunctionsWorkflows({ client: new SFNClient({ region: 'us-west-2' }), location });
const base = 'arn:aws:states:us-west-2:123456789012';
const executionArn = `${base}:execution:epsilon-dev-nightly-training:n-1`;
const mapRunArn = `${base}:mapRun:epsilon-dev-nightly-training/Train:1f`;
const startDate = new Date('2026-11-24T02:00:00Z');
const none = {
  total: 4,
  pending: 1,
  running: 2,
  succeeded: 1,
  failed: 0,
  timedOut: 0,
  aborted: 0,
  resultsWritten: 0,
};
const described = (status: 'RUNNING' | 'SUCCEEDED') => ({
  mapRunArn,
  executionArn,
  status,
  startDate,
  stopDate: undefined,
  maxConcurrency: 2,
  toleratedFailureCount: 0,
  toleratedFailurePercentage: 5,
  itemCounts: none,
  executionCounts: none,
});

afterEach(() => sfn.reset());

describe('map runs in Step Functions', () => {
  it('map runs of an execution are read over all pages, with their settings and counts', async () => {
    const listed = { mapRunArn, executionArn, stateMachineArn: base, startDate, stopDate: undefined };
    sfn
      .on(ListMapRunsCommand)
      .resolvesOnce({ mapRuns: [listed], nextToken: 'more' })
      .resolves({ mapRuns: [listed] });
    sfn.on(DescribeMapRunCommand).resolves(described('RUNNING'));
    const found = await workflows.mapRuns('nightly-training/n-1');
    expect(sfn.commandCalls(ListMapRunsCommand)[0]?.args[0].input).toEqual({
      executionArn,
      maxResults: 1_000,
    });
    expect(found).toHaveLength(2);
    expect(found[0]).toEqual({
      mapRunArn,
      status: 'RUNNING',
      startDate: '2026-11-24T02:00:00.000Z',
      maxConcurrency: 2,
      toleratedFailureCount: 0,
      toleratedFailurePercentage: 5,
      redriveCount: 0,
      children: { total: 4, pending: 1, running: 2, succeeded: 1, failed: 0, timedOut: 0, aborted: 0 },
    });
  });

  it('a running map run is updated with what is named, one that is over or unknown is refused', async () => {
    sfn.on(DescribeMapRunCommand).resolvesOnce(described('RUNNING')).resolves(described('SUCCEEDED'));
    sfn.on(UpdateMapRunCommand).resolves({});
    await workflows.updateMapRun(mapRunArn, { maxConcurrency: 50 });
    expect(sfn.commandCalls(UpdateMapRunCommand).map(({ args }) => args[0].input)).toEqual([
      { mapRunArn, maxConcurrency: 50 },
    ]);
    await expect(workflows.updateMapRun(mapRunArn, { maxConcurrency: 5 })).rejects.toMatchObject({
      code: 'MAP_RUN_NOT_RUNNING',
    });
    sfn.on(DescribeMapRunCommand).rejects(Object.assign(new Error('none'), { name: 'ResourceNotFound' }));
    await expect(workflows.updateMapRun(mapRunArn, { maxConcurrency: 5 })).rejects.toMatchObject({
      code: 'MAP_RUN_NOT_FOUND',
    });
    expect(sfn.commandCalls(UpdateMapRunCommand)).toHaveLength(1);
  });
});
