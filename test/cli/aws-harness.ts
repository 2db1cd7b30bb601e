import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach } from 'vitest';
import { awsConfig } from '../../cli/open-aws.ts';
import type { ProgramDependencies } from '../../cli/program/program.ts';
import type { AwsTarget } from '../../cli/target.ts';
import { type OperatorStores, openAwsOperator } from '../../lib/aws/operator/open-aws-operator.ts';
import { createOperatorApi } from '../../lib/operations/operator/operator-api.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { parseSchedule } from '../../local/schedule/expression.ts';
import { fillInput } from '../../local/schedule/schedule-input.ts';
import { type LocalStores, openLocalStores } from '../../local/stores/local-stores.ts';
import { sequentialIds } from '../fixtures/sequential-ids.ts';
import { freshDir } from '../fresh-dir.ts';
import { deployed, parametersOf } from '../lib/aws/operator/deployed.ts';
import { call, type Ran } from './harness.ts';

export const sfn = mockClient(SFNClient);
export const ssm = mockClient(SSMClient);
export const s3 = mockClient(S3Client);
export const scheduler = mockClient(SchedulerClient);
export const eventBridge = mockClient(EventBridgeClient);
const sts = mockClient(STSClient);
const others = [mockClient(BatchClient), mockClient(CloudWatchLogsClient), mockClient(LambdaClient)];

/** An error of the SDK. */
export const failing = (name: string, message = name) => Object.assign(new Error(message), { name });

export const base = 'arn:aws:states:us-west-2:123456789012';
export const machineArn = `${base}:stateMachine:epsilon-dev-tenant-model-training`;
export const executionArn = `${base}:execution:epsilon-dev-tenant-model-training:acme-1`;
export const begun = new Date('2026-11-24T02:00:00Z');

/** Pauses are over at once; time goes on by them. */
class HastyClock implements Clock {
  #now = begun.getTime();
  now = () => this.#now;
  setTimer(delayMs: number, callback: () => void) {
    const timer = setImmediate(() => {
      this.#now += delayMs;
      callback();
    });
    return { cancel: () => clearImmediate(timer) };
  }
}

/** An execution as DescribeExecution tells it. */
export const execution = (over: object = {}) => ({
  executionArn,
  stateMachineArn: machineArn,
  name: 'acme-1',
  status: 'SUCCEEDED' as const,
  startDate: begun,
  input: '{"tenantId":"acme"}',
  output: '{}',
  redriveCount: 0,
  ...over,
});

/** A machine as ListStateMachines tells it. */
export const machine = (name: string) => ({
  name,
  stateMachineArn: '',
  type: 'STANDARD' as const,
  creationDate: begun,
});

/** The command against a deployed dev environment. */
export interface DeployedHarness {
  /** The environment's table: SQLite, empty before each test. */
  stores(): LocalStores;
  epsilon(args: readonly string[], over?: Partial<ProgramDependencies>): Promise<Ran>;
}

/** An environment whose services are mocks that answer as if everything were deployed and nothing had run. */
export function deployedEnvironment(over: { readonly stores?: () => OperatorStores } = {}): DeployedHarness {
  let stores: LocalStores;
  const clock = new HastyClock();
  const ids = sequentialIds('T');
  beforeEach(() => {
    stores = openLocalStores({ stateDir: freshDir() });
    const Arn = 'arn:aws:sts::123456789012:role/r';
    sts.on(GetCallerIdentityCommand).resolves({ Account: '123456789012', Arn });
    ssm.on(GetParametersCommand).callsFake(parametersOf(deployed));
    sfn.on(ListStateMachinesCommand).resolves({
      stateMachines: [machine('epsilon-dev-nightly-training'), machine('epsilon-dev-tenant-model-training')],
    });
    sfn.on(DescribeExecutionCommand).resolves(execution());
    sfn.on(ListExecutionsCommand).resolves({ executions: [] });
    sfn.on(StartExecutionCommand).resolves({ executionArn });
    s3.on(ListObjectsV2Command).resolves({});
    s3.on(PutObjectCommand).resolves({});
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
  });
  afterEach(() => {
    stores.close();
    for (const mock of [sfn, sts, ssm, s3, scheduler, eventBridge, ...others]) mock.reset();
  });
  const open: ProgramDependencies['open'] = async (target, { standby = false }) => {
    const { ports, actor } = await openAwsOperator({
      config: awsConfig(target as AwsTarget, { projectDir: '.', variables: {} }),
      account: (target as AwsTarget).account,
      clock,
      ids,
      standby,
      rules: { parse: parseSchedule, fillInput },
      stores: over.stores ?? (() => stores),
    });
    return createOperatorApi(ports, actor);
  };
  return {
    stores: () => stores,
    epsilon: (args, over = {}) =>
      call({ clock, ids, open, variables: {}, ...over }, ['--target', 'aws', ...args]),
  };
}
