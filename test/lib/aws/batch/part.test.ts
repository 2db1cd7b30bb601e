import { BatchClient, DescribeJobsCommand, SubmitJobCommand } from '@aws-sdk/client-batch';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { NonRetryingBatchClient } from '../../../../lib/aws/batch/batch-calls.ts';
import { wireBatch } from '../../../../lib/aws/wiring/wire-batch.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { aJobSpec, anImage } from '../../../aws/batch-fixtures.ts';
import { jobRoleArn, writeTemplates } from '../../../aws/batch-runner.ts';
import { BatchStandIn, queueArns } from '../../../aws/batch-stand-in.ts';
import { anAwsBase } from '../../../fixtures/aws-base.ts';

const batch = mockClient(BatchClient);
const dynamo = mockClient(DynamoDBClient);
const s3 = mockClient(S3Client);
afterEach(() => {
  for (const mock of [batch, dynamo, s3]) mock.reset();
});

describe('the part of Batch', () => {
  it('the Batch part makes a runner from the deployment: queues, definitions, results, and a budget in the table', async () => {
    const clock = new VirtualClock(1_000);
    const standIn = new BatchStandIn(clock);
    standIn.install(batch);
    dynamo.on(UpdateItemCommand).resolves({});
    s3.on(GetObjectCommand).resolves({
      Body: { transformToByteArray: async () => new TextEncoder().encode('{"words":1}') } as never,
    });
    const base = anAwsBase({ clock });
    const { clients } = base;
    const { jobs } = wireBatch({
      ...base,
      deployment: {
        ...base.deployment,
        batchSpotQueueArn: queueArns.spot,
        batchOnDemandQueueArn: queueArns['on-demand'],
        batchJobDefinitionArns: writeTemplates(standIn, () => anImage()),
        jobRoleArn,
      },
    });
    const runner = jobs.batch;
    expect(runner).toMatchObject({ backend: 'batch', lookupLags: true });
    const ref = await runner.submit(aJobSpec(), { fresh: true });
    await clock.advance(60_000);
    expect((await runner.observe([ref]))?.get(ref.jobName)).toMatchObject({
      state: 'succeeded',
      result: { words: 1 },
    });
    expect(batch.commandCalls(SubmitJobCommand)[0]?.args[0].input).toMatchObject({
      jobQueue: queueArns.spot,
    });
    expect(batch.commandCalls(DescribeJobsCommand)).toHaveLength(1);
    expect(dynamo.commandCalls(UpdateItemCommand)[0]?.args[0].input).toMatchObject({
      TableName: 'epsilon-dev',
      Key: { pk: { S: 'BUDGET#batch' }, sk: { S: 'TOKENS' } },
    });
    expect(await clients.of(NonRetryingBatchClient).config.maxAttempts()).toBe(1);
    clients.close();
  });
});
