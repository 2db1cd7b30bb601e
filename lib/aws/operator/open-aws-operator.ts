import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import type { Actor } from '../../audit/record.ts';
import type { ServiceConfig } from '../../config/service-config.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type { Log } from '../../ports/log.ts';
import type { OperatorPorts } from '../../ports/operator-ports.ts';
import { createEventPublisher } from '../eventbridge/event-publisher.ts';
import { createS3ObjectStore } from '../s3/s3-object-store.ts';
import { createTaskCallbacks } from '../stepfunctions/task-callbacks.ts';
import { createStepFunctionsWorkflows } from '../stepfunctions/workflows.ts';
import { openTableAuditLog } from '../table/open-stores.ts';
import type { AwsBase } from '../wiring/base.ts';
import { createClients } from '../wiring/clients.ts';
import { wireStores } from '../wiring/wire-stores.ts';
import { type Caller, callerOf } from './caller.ts';
import { deployedWorkflows } from './deployed-workflows.ts';
import { deploymentFacts, standbyFacts, standbyRegion } from './deployment-facts.ts';
import { checkEnvironment } from './environment-check.ts';
import { createAwsJobLogs } from './job-logs.ts';
import { createSchedules, type ScheduleRules } from './schedules.ts';

/** The stores that an operator's port reads and writes. */
export type OperatorStores = Pick<
  OperatorPorts,
  'tenants' | 'runs' | 'leases' | 'models' | 'imageRecords' | 'verdicts' | 'audit' | 'releases'
>;

/** What the control plane of an environment is opened with. */
export interface AwsOperatorOptions {
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
  /** Opens what stands idle in the region of the replicas; nothing is asked of the environment's own. */
  readonly standby?: boolean;
  /** Makes the stores; DynamoDB's unless a test brings others. */
  readonly stores?: (base: AwsBase) => OperatorStores;
}

/** A control plane on AWS and whose credentials it was opened with. */
export interface AwsOperator {
  readonly ports: OperatorPorts;
  readonly actor: Actor;
}

/** The command line speaks to people itself: adapters log and count nothing here. */
const silence: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
};

async function baseOf({
  config,
  profile,
  account,
  clock,
  ids,
  signal,
  standby = false,
}: AwsOperatorOptions): Promise<{ readonly base: AwsBase; readonly caller: Caller }> {
  const clients = createClients({
    region: standby ? standbyRegion(config) : config.region,
    ...(profile === undefined ? {} : { profile }),
    ...(signal ? { signal } : {}),
  });
  const caller = await callerOf(clients.of(STSClient), { environment: config.environment, account });
  const base: AwsBase = {
    config,
    deployment: standby
      ? standbyFacts(config, caller)
      : await deploymentFacts(clients.of(SSMClient), config, caller),
    clients,
    clock,
    ids,
    random: Math.random,
    log: silence,
    metrics: { count: () => {}, duration: () => {} },
  };
  return { base, caller };
}

/** The environment's table: what functions have of it, and the audit log. */
function tableStores(base: AwsBase): OperatorStores {
  const { clients, deployment, clock, random, ids } = base;
  const client = clients.of(DynamoDBClient);
  const { tableName } = deployment;
  return {
    ...wireStores(base),
    audit: openTableAuditLog({ client, tableName, clock, random, ids }),
  };
}

function logsOf({ clients, clock, config, deployment }: AwsBase) {
  return createAwsJobLogs({
    batch: clients.of(BatchClient),
    logs: clients.of(CloudWatchLogsClient),
    clock,
    environment: config.environment,
    // What stands idle has none.
    queues: [deployment.batchSpotQueueArn, deployment.batchOnDemandQueueArn].filter(
      (arn) => arn !== undefined,
    ),
  });
}

/**
 * Opens the control plane of an environment on AWS with the credentials of the SDK's own chain. Two calls find out where it
 * is: whose credentials these are, and what infrastructure left in SSM. The actor is the caller as STS names it. Errors: those
 * of access-errors.ts, `WRONG_ACCOUNT`, `SSM_PARAMETER_MISSING`, `ARN_MISMATCH`; later, of its ports, `MACHINE_NOT_FOUND` when
 * nothing is deployed.
 */
export async function openAwsOperator(options: AwsOperatorOptions): Promise<AwsOperator> {
  const { base, caller } = await baseOf(options);
  const { config, clock, ids, log, clients, deployment } = base;
  const { environment } = config;
  const { region } = clients;
  const location = { ...deployment, environment, region };
  const states = clients.of(SFNClient);
  const ports: OperatorPorts = {
    config,
    clock,
    ids,
    log,
    ...(options.stores ?? tableStores)(base),
    workflows: deployedWorkflows(createStepFunctionsWorkflows({ client: states, location }), location),
    objects: createS3ObjectStore({ client: clients.of(S3Client) }),
    events: createEventPublisher({
      client: clients.of(EventBridgeClient),
      bus: deployment.eventBusName,
      clock,
      random: base.random,
    }),
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
    callbacks: createTaskCallbacks({ client: states }),
    close: async () => clients.close(),
  };
  const parameters = clients.of(SSMClient);
  return {
    actor: { id: caller.arn, via: 'aws' },
    ports: {
      ...ports,
      check: (declared) => checkEnvironment({ control: ports, states, parameters, location }, declared),
    },
  };
}
