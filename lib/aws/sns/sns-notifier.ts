import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';

/** Longest subject, in characters, and body, in bytes; the service counts attributes into its 256 KiB. */
const longestSubject = 100;
const longestBody = 250_000;

/** A subject as the service takes it: printable ASCII on one line, neither empty nor beginning with a space. */
function subjectOf(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .trim();
  const subject = plain === '' ? 'Epsilon' : plain;
  return subject.length <= longestSubject ? subject : `${subject.slice(0, longestSubject - 3)}...`;
}

/** A body within the service's size, never cut inside a character. */
function bodyOf(text: string, subject: string): string {
  if (text === '') return subject;
  const bytes = Buffer.from(text);
  if (bytes.length <= longestBody) return text;
  const cut = new TextDecoder().decode(bytes.subarray(0, longestBody), { stream: true });
  return `${cut}\n(cut: the message had ${bytes.length} bytes)`;
}

/**
 * People, through a topic; subscriptions may filter by the attribute `severity`. A topic does not recognise a message that
 * is sent again after a lost answer: people may be notified twice, but never not at all.
 */
export function createSnsNotifier({
  client,
  topicArn,
}: {
  readonly client: SNSClient;
  readonly topicArn: string;
}): Notifier {
  return {
    notify: async ({ subject, body, severity }) => {
      const Subject = subjectOf(subject);
      try {
        await client.send(
          new PublishCommand({
            TopicArn: topicArn,
            Subject,
            Message: bodyOf(body, Subject),
            MessageAttributes: { severity: { DataType: 'String', StringValue: severity } },
          }),
        );
      } catch (error) {
        if (errorName(error) === 'NotFoundException')
          throw new EpsilonError('TOPIC_NOT_FOUND', `There is no topic ${topicArn}.`, {
            exitCode: exitCodes.backend,
            cause: error,
          });
        throw explainServiceError(error, 'sns:Publish', topicArn);
      }
    },
  };
}
