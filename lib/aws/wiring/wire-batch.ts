import { BatchClient } from '@aws-sdk/client-batch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { factOf } from '../../config/deployment-fact.ts';
import { furtherRepositories } from '../../config/image-release.ts';
import { createBatchCalls, NonRetryingBatchClient } from '../batch/batch-calls.ts';
import { createBatchJobRunner } from '../batch/batch-job-runner.ts';
import { createCallBudget } from '../batch/call-budget.ts';
import { createJobDefinitions } from '../batch/job-definitions.ts';
import { createTableBucket } from '../batch/table-bucket.ts';
import type { BucketRule } from '../batch/token-bucket.ts';
import { createS3ObjectStore } from '../s3/s3-object-store.ts';
import type { AwsBase } from './base.ts';
import { batchRule, profilesRule } from './batch-rule.ts';

type InstanceJobs = ReturnType<typeof import('../batch/instance-jobs.ts').createInstanceJobs>;

type InstancePlaces = ReturnType<typeof import('../batch/instance-places.ts').createInstancePlaces>;

/** The job runner of Batch. */
export const wireBatch = ({ clients, config, deployment, clock, log, metrics }: AwsBase) => {
  const bucketOf = (name: string, rule: BucketRule) =>
    createTableBucket({
      client: clients.of(DynamoDBClient),
      tableName: deployment.tableName,
      name,
      rule,
      clock,
    });
  const budgetOf = (api: string, rule: BucketRule) =>
    createCallBudget({ api, bucket: bucketOf(api, rule), clock, metrics });
  const calls = createBatchCalls({
    client: clients.of(BatchClient),
    nonRetrying: clients.of(NonRetryingBatchClient),
    budget: budgetOf('batch', batchRule),
  });
  const { environment, region } = config;
  const queues = {
    spot: factOf(deployment, 'batchSpotQueueArn'),
    'on-demand': factOf(deployment, 'batchOnDemandQueueArn'),
  };
  let instanceJobs: Promise<InstanceJobs> | undefined;
  let instancePlaces: Promise<InstancePlaces> | undefined;
  // Only a spot warning and the reconciler ask these; no other function loads ECS for it.
  const loadInstanceJobs = async () => {
    const { ECSClient } = await import('../lazy/ecs.ts');
    const { createInstanceJobs } = await import('../batch/instance-jobs.ts');
    const ecs = clients.of(ECSClient);
    return createInstanceJobs({ calls, ecs, queueArns: Object.values(queues), environment, clock });
  };
  const loadInstancePlaces = async () => {
    const { ECSClient } = await import('../lazy/ecs.ts');
    const { createInstancePlaces } = await import('../batch/instance-places.ts');
    return createInstancePlaces(clients.of(ECSClient));
  };
  const runner = createBatchJobRunner({
    calls,
    definitions: createJobDefinitions({
      calls,
      templates: factOf(deployment, 'batchJobDefinitionArns'),
      furtherRepositories: (image) => furtherRepositories(config.workloads, image),
    }),
    objects: createS3ObjectStore({ client: clients.of(S3Client) }),
    instanceJobs: async (instanceId) => {
      instanceJobs ??= loadInstanceJobs();
      return (await instanceJobs)(instanceId);
    },
    instancePlaces: async (arns) => {
      if (arns.length === 0) return new Map();
      instancePlaces ??= loadInstancePlaces();
      return (await instancePlaces)(arns);
    },
    queues,
    profiles: budgetOf('batch-profiles', profilesRule),
    deployment: {
      environment,
      region,
      ...(deployment.credentialsUrl === undefined ? {} : { credentialsUrl: deployment.credentialsUrl }),
    },
    log,
    metrics,
  });
  return { jobs: { batch: runner } };
};
