import { SNSClient } from '@aws-sdk/client-sns';
import { createSnsNotifier } from '../sns/sns-notifier.ts';
import type { AwsBase, PortsPart } from './base.ts';

/** People, through the alerts topic. */
export const part = ({ clients, deployment }: AwsBase): PortsPart => ({
  notifier: createSnsNotifier({ client: clients.of(SNSClient), topicArn: deployment.alertsTopicArn }),
});
