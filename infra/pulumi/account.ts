import { Budget } from '@pulumi/aws/budgets/budget.js';
import type { Key } from '@pulumi/aws/kms/key.js';
import { Topic } from '@pulumi/aws/sns/topic.js';
import { TopicPolicy } from '@pulumi/aws/sns/topicPolicy.js';
import { document } from './identity.ts';
import type { Keys } from './keys.ts';
import type { Site } from './site.ts';

/** Creates the topic people subscribe to: encrypted, TLS only, written by AWS services of this account only. */
export function createAlerts(site: Site, keys: Keys): Topic {
  return createTopic(site, site.name('alerts'), { key: keys.data, opts: site.here });
}

/** The topic of alarms in the disaster recovery region; people subscribe to both. */
export function createStandbyAlerts(site: Site, keys: Keys): Topic {
  return createTopic(site, site.name('alerts-there'), { key: keys.replica, opts: site.there });
}

function createTopic(
  site: Site,
  id: string,
  { key, opts }: { readonly key: Key; readonly opts: Site['here'] },
): Topic {
  const topic = new Topic(id, { name: site.name('alerts'), kmsMasterKeyId: key.id }, opts);
  const services = ['cloudwatch.amazonaws.com', 'events.amazonaws.com', 'budgets.amazonaws.com'];
  new TopicPolicy(
    id,
    {
      arn: topic.arn,
      policy: document([
        ...services.map((service) => ({
          Effect: 'Allow' as const,
          Principal: { Service: service },
          Action: 'sns:Publish',
          Resource: topic.arn,
          Condition: { StringEquals: { 'aws:SourceAccount': site.accountId } },
        })),
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'sns:Publish',
          Resource: topic.arn,
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ]),
    },
    opts,
  );
  return topic;
}

/** Creates the monthly budget: notifies at 80 % spent and when the forecast passes 100 %. */
export function createBudget(site: Site, alerts: Topic): void {
  const { monthlyUsd, alertEmail } = site.config.budget;
  const notify = (notificationType: string, threshold: number) => ({
    comparisonOperator: 'GREATER_THAN',
    notificationType,
    threshold,
    thresholdType: 'PERCENTAGE',
    subscriberEmailAddresses: [alertEmail],
    subscriberSnsTopicArns: [alerts.arn],
  });
  new Budget(
    site.name('monthly'),
    {
      name: site.name('monthly'),
      budgetType: 'COST',
      limitAmount: String(monthlyUsd),
      limitUnit: 'USD',
      timeUnit: 'MONTHLY',
      costFilters: [{ name: 'TagKeyValue', values: [`user:epsilon:environment$${site.config.environment}`] }],
      notifications: [notify('ACTUAL', 80), notify('FORECASTED', 100)],
    },
    site.here,
  );
}
