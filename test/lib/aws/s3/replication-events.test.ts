import {
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { failuresOf, readReplicationEvents } from '../../../../lib/aws/s3/replication-events.ts';

const sqs = mockClient(SQSClient);
const client = new SQSClient({ region: 'us-west-2' });
const name = 'epsilon-dev-replication-events';
const QueueUrl = `https://sqs.us-west-2.amazonaws.com/123456789012/${name}`;

/** A message as AWS documents it. */
const failed = (key: string, failureReason?: string) =>
  JSON.stringify({
    Records: [
      {
        eventVersion: '2.2',
        eventSource: 'aws:s3',
        awsRegion: 'us-west-2',
        eventName: 'Replication:OperationFailedReplication',
        s3: { bucket: { name: 'data' }, object: { key, size: 520080, versionId: 'v1' } },
        replicationEventData: {
          replicationRuleId: 'everything',
          destinationBucket: 'arn:aws:s3:::data-replica',
          s3Operation: 'OBJECT_PUT',
          requestTime: '2026-11-24T02:00:00.000Z',
          ...(failureReason && { failureReason }),
        },
      },
    ],
  });

beforeEach(() => {
  sqs.reset();
  sqs.on(GetQueueUrlCommand, { QueueName: name }).resolves({ QueueUrl });
});

describe('events of replication', () => {
  it.each([
    [
      failed('acme/runs/r1/model+1%2B.bin', 'DstKmsKeyInvalidState'),
      'acme/runs/r1/model 1+.bin',
      'DstKmsKeyInvalidState',
    ],
    [failed('acme/100%'), 'acme/100%', 'OperationFailedReplication'],
    ['no JSON', 'an object', 'its event cannot be read'],
    ['{"Records":[{}]}', 'an object', 'its event cannot be read'],
  ])('%s is told as a failure', (body, key, because) => {
    expect(failuresOf(body)).toEqual([{ key, because }]);
  });

  it('the message by which S3 tries the queue tells nothing', () => {
    expect(failuresOf('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"data"}')).toEqual([]);
  });

  it('are read until the queue is empty, and let go of in tens, and only when that is asked for', async () => {
    const batch = (from: number, count: number) => ({
      Messages: Array.from({ length: count }, (_, index) => ({
        Body: failed(`key-${from + index}`),
        ReceiptHandle: `handle-${from + index}`,
      })),
    });
    sqs.on(ReceiveMessageCommand).resolvesOnce(batch(0, 10)).resolvesOnce(batch(10, 2)).resolves({});
    sqs.on(DeleteMessageBatchCommand).resolves({});
    const told = await readReplicationEvents(client, name);
    expect(told.failed.map(({ key }) => key)).toEqual(
      Array.from({ length: 12 }, (_, index) => `key-${index}`),
    );
    expect(sqs.commandCalls(DeleteMessageBatchCommand)).toEqual([]);
    await told.forget();
    const removed = sqs.commandCalls(DeleteMessageBatchCommand).map(({ args: [{ input }] }) => input);
    expect(removed.map(({ Entries }) => Entries?.length)).toEqual([10, 2]);
    expect(removed[1]).toEqual({
      QueueUrl,
      Entries: [
        { Id: '0', ReceiptHandle: 'handle-10' },
        { Id: '1', ReceiptHandle: 'handle-11' },
      ],
    });
  });

  it('one pass reads no more than 500, however many come', async () => {
    sqs.on(ReceiveMessageCommand).resolves({ Messages: [{ Body: failed('key'), ReceiptHandle: 'h' }] });
    expect((await readReplicationEvents(client, name)).failed).toHaveLength(50);
    expect(sqs.commandCalls(ReceiveMessageCommand)[0]?.args[0].input).toMatchObject({
      MaxNumberOfMessages: 10,
    });
  });
});
