import { BatchClient } from '@aws-sdk/client-batch';
import { ECSClient } from '@aws-sdk/client-ecs';
import {
  type BatchCalls,
  createBatchCalls,
  NonRetryingBatchClient,
} from '../../lib/aws/batch/batch-calls.ts';
import { createBatchJobRunner } from '../../lib/aws/batch/batch-job-runner.ts';
import type { CallBudget } from '../../lib/aws/batch/call-budget.ts';
import { createInstanceJobs } from '../../lib/aws/batch/instance-jobs.ts';
import { createInstancePlaces } from '../../lib/aws/batch/instance-places.ts';
import { createJobDefinitions } from '../../lib/aws/batch/job-definitions.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { JobRunner } from '../../lib/ports/job-runner.ts';
import type { Log } from '../../lib/ports/log.ts';
import type { ObjectStore } from '../../lib/ports/object-store.ts';
import { type StageName, stageNames, stages } from '../../lib/training/stages.ts';
import { silentLog } from '../fixtures/silent-log.ts';
import { account, type BatchStandIn, queueArns, region } from './batch-stand-in.ts';

/** Where jobs ask for credentials. */
export const credentialsUrl = 'https://api.execute-api.us-west-2.amazonaws.com/live/credentials';

export const jobRoleArn = `arn:aws:iam::${account}:role/epsilon-dev-tenant-job`;

/** A budget that never ends. */
const unlimited: CallBudget = { spend: async () => {} };

/** Registers what infrastructure writes: a definition per stage, pinned to an image. Gives stage to ARN. */
export function writeTemplates(
  batch: BatchStandIn,
  imageOf: (stage: StageName) => string,
): Record<StageName, string> {
  return Object.fromEntries(
    stageNames.map((stage) => [
      stage,
      batch.register({
        jobDefinitionName: `epsilon-dev-stage-${stage}`,
        type: 'container',
        platformCapabilities: ['EC2'],
        propagateTags: true,
        tags: { Project: 'embeddings-saas', Environment: 'dev' },
        retryStrategy: { attempts: 1 },
        timeout: { attemptDurationSeconds: stages[stage].timeoutSeconds },
        containerProperties: {
          image: imageOf(stage),
          jobRoleArn: `arn:aws:iam::${account}:role/epsilon-dev-job-batch`,
          executionRoleArn: `arn:aws:iam::${account}:role/epsilon-dev-batch-execution`,
          privileged: false,
          readonlyRootFilesystem: true,
          user: '10001',
        },
      }).jobDefinitionArn,
    ]),
  ) as Record<StageName, string>;
}

/** The calls over mocked clients. */
export function makeCalls(budget: CallBudget = unlimited): BatchCalls {
  return createBatchCalls({
    client: new BatchClient({ region }),
    nonRetrying: new NonRetryingBatchClient({ region }),
    budget,
  });
}

/** What a runner for tests is made of. */
export interface TestRunnerOptions {
  readonly clock: Clock;
  readonly templates: Readonly<Partial<Record<StageName, string>>>;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly budget?: CallBudget;
  readonly queues?: { readonly spot: string; readonly 'on-demand': string };
  readonly log?: Log;
  readonly count?: (name: string) => void;
}

/** The Batch runner as the deployed service makes it, over mocked clients. */
export function makeRunner({
  clock,
  templates,
  objects,
  budget,
  queues = queueArns,
  log = silentLog,
  count,
}: TestRunnerOptions): JobRunner {
  const calls = makeCalls(budget);
  return createBatchJobRunner({
    profiles: { spend: async () => {} },
    calls,
    definitions: createJobDefinitions({ calls, templates, furtherRepositories: () => [] }),
    objects,
    instanceJobs: createInstanceJobs({
      calls,
      ecs: new ECSClient({ region }),
      queueArns: Object.values(queues),
      environment: 'dev',
      clock,
    }),
    instancePlaces: createInstancePlaces(new ECSClient({ region })),
    queues,
    deployment: { environment: 'dev', region, credentialsUrl },
    log,
    metrics: { count: (name) => count?.(name) },
  });
}
