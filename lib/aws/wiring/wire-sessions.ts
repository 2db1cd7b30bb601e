import { BatchClient } from '@aws-sdk/client-batch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { STSClient } from '@aws-sdk/client-sts';
import { factOf } from '../../config/deployment-fact.ts';
import { createBatchCalls, NonRetryingBatchClient } from '../batch/batch-calls.ts';
import { createCallBudget } from '../batch/call-budget.ts';
import { createTableBucket } from '../batch/table-bucket.ts';
import { createJobSessions } from '../sts/job-sessions.ts';
import type { AwsBase } from './base.ts';
import { batchRule } from './batch-rule.ts';

/** Tasks and sessions of jobs on Batch. */
export const wireSessions = ({ clients, deployment, clock, metrics }: AwsBase) => {
  const { tableName, partition } = deployment;
  const roleArn = factOf(deployment, 'jobRoleArn');
  const table = clients.of(DynamoDBClient);
  const bucket = createTableBucket({ client: table, tableName, name: 'batch', rule: batchRule, clock });
  const calls = createBatchCalls({
    client: clients.of(BatchClient),
    nonRetrying: clients.of(NonRetryingBatchClient),
    budget: createCallBudget({ api: 'batch', bucket, clock, metrics }),
  });
  return { sessions: createJobSessions({ calls, client: clients.of(STSClient), roleArn, partition }) };
};
