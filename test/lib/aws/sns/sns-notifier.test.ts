import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createSnsNotifier } from '../../../../lib/aws/sns/sns-notifier.ts';

const sns = mockClient(SNSClient);
const topicArn = 'arn:aws:sns:us-west-2:123456789012:epsilon-alerts-dev';
const notifier = createSnsNotifier({ client: new SNSClient({ region: 'us-west-2' }), topicArn });
const failing = (name: string) => Object.assign(new Error(name), { name });
const sent = () => sns.commandCalls(PublishCommand).map((call) => call.args[0].input);

afterEach(() => sns.reset());

describe('the notifier', () => {
  it('the notifier publishes subject, body and severity to the topic', async () => {
    await notifier.notify({ subject: 'Training of acme failed', body: 'Run r1 ended.', severity: 'warning' });
    expect(sent()).toEqual([
      {
        TopicArn: topicArn,
        Subject: 'Training of acme failed',
        Message: 'Run r1 ended.',
        MessageAttributes: { severity: { DataType: 'String', StringValue: 'warning' } },
      },
    ]);
  });

  it.each([
    ['Träining\n of\tacmé', 'Training of acme'],
    ['日本', '??'],
    ['', 'Epsilon'],
    ['  \u0007 ', 'Epsilon'],
    ['x'.repeat(100), 'x'.repeat(100)],
    ['x'.repeat(101), `${'x'.repeat(97)}...`],
  ])('the notifier makes a subject of %j that the service accepts', async (subject, made) => {
    await notifier.notify({ subject, body: 'b', severity: 'info' });
    expect(sent()[0]?.Subject).toBe(made);
    expect(sent()[0]?.Subject).toMatch(/^[\x21-\x7e][\x20-\x7e]{0,99}$/);
  });

  it('the notifier keeps a body within 256 KiB, whole characters only, and never sends an empty one', async () => {
    await notifier.notify({ subject: 's', body: 'ü'.repeat(200_000), severity: 'info' });
    await notifier.notify({ subject: 's', body: '', severity: 'info' });
    const [long = '', empty] = sent().map(({ Message }) => Message);
    expect(Buffer.byteLength(long)).toBeLessThan(262_144);
    expect(long).toMatch(/^ü+\n\(cut: the message had 400000 bytes\)$/);
    expect(empty).toBe('s');
  });

  it('a notification is sent once more by the caller after a timeout: twice is better than never', async () => {
    sns.on(PublishCommand).rejectsOnce(failing('TimeoutError')).resolves({ MessageId: 'm' });
    const message = { subject: 's', body: 'b', severity: 'critical' } as const;
    await expect(notifier.notify(message)).rejects.toMatchObject({ name: 'TimeoutError' });
    await notifier.notify(message);
    expect(sent()[0]).toEqual(sent()[1]);
  });

  it.each([
    ['ThrottledException', { name: 'Throttled', retryable: true }],
    ['KMSThrottlingException', { name: 'Throttled', retryable: true }],
    [
      'AuthorizationErrorException',
      { code: 'AWS_ACCESS_DENIED', details: { action: 'sns:Publish', resource: topicArn } },
    ],
    [
      'KMSAccessDeniedException',
      { code: 'AWS_ACCESS_DENIED', details: { action: 'sns:Publish', resource: topicArn } },
    ],
    ['NotFoundException', { code: 'TOPIC_NOT_FOUND', message: expect.stringContaining(topicArn) }],
  ])('the notifier reports %s with a code of its own', async (name, told) => {
    sns.on(PublishCommand).rejects(failing(name));
    await expect(notifier.notify({ subject: 's', body: 'b', severity: 'info' })).rejects.toMatchObject(told);
  });
});
