import { SNSClient } from '@aws-sdk/client-sns';
import type { AwsBase, PortsPart } from '../base.ts';
import { createSnsNotifier } from '../sns-notifier.ts';

/** People, through the alerts topic. */
export const part = ({ clients, deployment }: AwsBase): PortsPart => ({
  notifier: createSnsNotifier({ client: clients.of(SNSClient), topicArn: deployment.alertsTopicArn }),
});
