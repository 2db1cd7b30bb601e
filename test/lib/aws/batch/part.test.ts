import { BatchClient, DescribeJobsCommand, SubmitJobCommand } from '@aws-sdk/client-batch';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { OnceBatchClient } from '../../../../lib/aws/batch/batch-calls.ts';
import type { AwsBase } from '../../../../lib/aws/wiring/base.ts';
import { createClients } from '../../../../lib/aws/wiring/clients.ts';
import { part } from '../../../../lib/aws/wiring/wire-batch.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';
import { aJobSpec, anImage } from '../../../aws/batch-fixtures.ts';
import { jobRoleArn, silent, writeTemplates } from '../../../aws/batch-runner.ts';
import { BatchStandIn, queueArns } from '../../../aws/batch-stand-in.ts';

const batch = mockClient(BatchClient);
const dynamo = mockClient(DynamoDBClient);
const s3 = mockClient(S3Client);
afterEach(() => {
  for (const mock of [batch, dynamo, s3]) mock.reset();
});

describe('the part of Batch', () => {
  it('makes a runner from the deployment: queues, definitions, results, and a budget in the table', async () => {
    const clock = new VirtualClock(1_000);
    const standIn = new BatchStandIn(clock);
    standIn.install(batch);
    dynamo.on(UpdateItemCommand).resolves({});
    s3.on(GetObjectCommand).resolves({
      Body: { transformToByteArray: async () => new TextEncoder().encode('{"words":1}') } as never,
    });
    const clients = createClients({ region: 'us-west-2' });
    const { runners = [] } = part({
      config: { environment: 'dev', region: 'us-west-2' },
      deployment: {
        tableName: 'epsilon-dev',
        batchSpotQueueArn: queueArns.spot,
        batchOnDemandQueueArn: queueArns['on-demand'],
        batchJobDefinitionArns: writeTemplates(standIn, () => anImage()),
        jobRoleArn,
      },
      clients,
      clock,
      log: silent,
      metrics: { count: () => {}, duration: () => {} },
    } as unknown as AwsBase);
    const [runner] = runners;
    expect(runner).toMatchObject({ backend: 'batch', lookupLags: true });
    const ref = await runner?.submit(aJobSpec(), { fresh: true });
    await clock.advance(60_000);
    expect((await runner?.observe(ref ? [ref] : []))?.get(ref?.jobName ?? '')).toMatchObject({
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
    expect(await clients.of(OnceBatchClient).config.maxAttempts()).toBe(1);
    clients.close();
  });
});
