import { SNSClient } from '@aws-sdk/client-sns';
import { createSnsNotifier } from '../sns/sns-notifier.ts';
import type { AwsBase } from './base.ts';

/** People, through the alerts topic. */
export const wireNotifier = ({ clients, deployment }: AwsBase) => ({
  notifier: createSnsNotifier({ client: clients.of(SNSClient), topicArn: deployment.alertsTopicArn }),
});
