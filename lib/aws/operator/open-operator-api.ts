import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import type { ServiceConfig } from '../../config/service-config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { Log } from '../../ports/log.ts';
import type { OperatorApi } from '../../ports/operator-api.ts';
import type { Ports } from '../../ports/ports.ts';
import { createS3ObjectStore } from '../s3/s3-object-store.ts';
import { createStepFunctionsWorkflows } from '../stepfunctions/workflows.ts';
import type { AwsBase } from '../wiring/base.ts';
import { createClients } from '../wiring/clients.ts';
import { wireStores } from '../wiring/wire-stores.ts';
import { callerOf } from './caller.ts';
import { deployedWorkflows } from './deployed-workflows.ts';
import { deploymentFacts } from './deployment-facts.ts';
import { checkEnvironment } from './environment-check.ts';
import { createAwsJobLogs } from './job-logs.ts';
import { createSchedules, type ScheduleRules } from './schedules.ts';

/** The stores that a control plane shows. */
export type ControlStores = Pick<Ports, 'tenants' | 'runs' | 'leases' | 'models'>;

/** What a control plane on AWS is opened with. */
export interface AwsControlOptions {
  /** Settings of the environment, its region included. */
  readonly config: ServiceConfig;
  readonly profile?: string | undefined;
  /** Account that the credentials must be of. */
  readonly account?: string | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly rules: ScheduleRules;
  /** Aborted when nobody waits for an answer any more. */
  readonly signal?: AbortSignal;
  /** Makes the stores; DynamoDB's unless a test brings others. */
  readonly stores?: (base: AwsBase) => ControlStores;
}

/** The command line speaks to people itself: adapters log and count nothing here. */
const silence: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
};

async function baseOf({ config, profile, account, clock, ids, signal }: AwsControlOptions): Promise<AwsBase> {
  const clients = createClients({
    region: config.region,
    ...(profile === undefined ? {} : { profile }),
    ...(signal ? { signal } : {}),
  });
  const caller = await callerOf(clients.of(STSClient), { environment: config.environment, account });
  return {
    config,
    deployment: await deploymentFacts(clients.of(SSMClient), config, caller),
    clients,
    clock,
    ids,
    random: Math.random,
    log: silence,
    metrics: { count: () => {}, duration: () => {} },
  };
}

function logsOf({ clients, clock, config, deployment }: AwsBase) {
  return createAwsJobLogs({
    batch: clients.of(BatchClient),
    logs: clients.of(CloudWatchLogsClient),
    clock,
    environment: config.environment,
    queues: [deployment.batchSpotQueueArn, deployment.batchOnDemandQueueArn],
  });
}

/**
 * Opens the control plane of an environment on AWS with the credentials of the SDK's own chain. Two calls find out where it
 * is: whose credentials these are, and what infrastructure left in SSM. Errors: those of access-errors.ts, `WRONG_ACCOUNT`,
 * `SSM_PARAMETER_MISSING`, `ARN_MISMATCH`; later, of its ports, `MACHINE_NOT_FOUND` when nothing is deployed.
 */
export async function openAwsControl(options: AwsControlOptions): Promise<OperatorApi> {
  const base = await baseOf(options);
  const { config, clock, ids, clients, deployment } = base;
  const { environment, region } = config;
  const place = { ...deployment, environment, region };
  const states = clients.of(SFNClient);
  const control: OperatorApi = {
    config,
    clock,
    ...(options.stores ?? wireStores)(base),
    workflows: deployedWorkflows(createStepFunctionsWorkflows({ client: states, place }), place),
    objects: createS3ObjectStore({ client: clients.of(S3Client) }),
    logs: logsOf(base),
    schedules: createSchedules({
      scheduler: clients.of(SchedulerClient),
      states,
      functions: clients.of(LambdaClient),
      environment,
      rules: options.rules,
      clock,
      ids,
    }),
    close: async () => clients.close(),
  };
  const parameters = clients.of(SSMClient);
  return {
    ...control,
    check: (declared) => checkEnvironment({ control, states, parameters, place }, declared),
  };
}
