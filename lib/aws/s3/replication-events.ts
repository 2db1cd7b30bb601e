import {
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { checkSchema } from '../../errors/check-schema.ts';
import type { FailedReplication, ToldFailures } from '../../ports/backup/replication-control.ts';
import { explained } from '../errors/service-errors.ts';

/** Batches of ten that one pass reads; what is beyond stays for the next. */
const mostBatches = 50;

/** What a message of S3 has of the form that AWS documents; a test message has no records. */
const messageSchema = z.object({
  Records: z
    .array(
      z.object({
        eventName: z.string(),
        s3: z.object({ object: z.object({ key: z.string() }) }),
        replicationEventData: z.object({ failureReason: z.string().optional() }).optional(),
      }),
    )
    .default([]),
});

/** Keys of events have the form of a query: a plus is a space. */
function keyOf(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The failures of one message. One that cannot be read is told as such: it came because something failed. */
export function failuresOf(body: string): FailedReplication[] {
  const read = checkSchema(messageSchema, parsed(body));
  if (!read.success) return [{ key: 'an object', because: 'its event cannot be read' }];
  return read.data.Records.map(({ eventName, s3, replicationEventData }) => ({
    key: keyOf(s3.object.key),
    because: replicationEventData?.failureReason ?? eventName.replace(/^.*:/, ''),
  }));
}

async function forget(client: SQSClient, QueueUrl: string, name: string, messages: readonly Message[]) {
  for (let at = 0; at < messages.length; at += 10) {
    const Entries = messages
      .slice(at, at + 10)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    // One that is not removed comes again, and is told again.
    await explained('sqs:DeleteMessageBatch', name, () =>
      client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })),
    );
  }
}

/** Reads what S3 told of failed replication from its queue (`infra/pulumi/replication-queue.ts`). */
export async function readReplicationEvents(client: SQSClient, name: string): Promise<ToldFailures> {
  const { QueueUrl = '' } = await explained('sqs:GetQueueUrl', name, () =>
    client.send(new GetQueueUrlCommand({ QueueName: name })),
  );
  const messages: Message[] = [];
  for (let batch = 0; batch < mostBatches; batch += 1) {
    const { Messages = [] } = await explained('sqs:ReceiveMessage', name, () =>
      client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 })),
    );
    if (Messages.length === 0) break;
    messages.push(...Messages);
  }
  return {
    failed: messages.flatMap(({ Body = '' }) => failuresOf(Body)),
    forget: () => forget(client, QueueUrl, name, messages),
  };
}
