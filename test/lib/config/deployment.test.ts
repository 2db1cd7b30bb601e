import { describe, expect, it } from 'vitest';
import { deploymentOf, deploymentVariables, stateMachineArn } from '../../../lib/config/deployment.ts';
import { loadConfig } from '../../../lib/config/load-config.ts';

const account = '123456789012';
const complete = {
  EPSILON_AWS_ACCOUNT_ID: account,
  EPSILON_AWS_TABLE_NAME: 'epsilon-dev',
  EPSILON_AWS_EVENT_BUS_NAME: 'epsilon-dev',
  EPSILON_AWS_ALERTS_TOPIC_ARN: `arn:aws:sns:us-west-2:${account}:alerts`,
  EPSILON_AWS_BATCH_SPOT_QUEUE_ARN: `arn:aws:batch:us-west-2:${account}:job-queue/spot`,
  EPSILON_AWS_BATCH_ON_DEMAND_QUEUE_ARN: `arn:aws:batch:us-west-2:${account}:job-queue/on-demand`,
  EPSILON_AWS_BATCH_JOB_DEFINITION_ARNS: JSON.stringify({
    train: `arn:aws:batch:us-west-2:${account}:job-definition/train:1`,
  }),
  EPSILON_AWS_REPOSITORY_URLS: JSON.stringify({
    'ml-engine': `${account}.dkr.ecr.us-west-2.amazonaws.com/ml`,
  }),
  EPSILON_AWS_JOB_ROLE_ARN: `arn:aws:iam::${account}:role/job`,
};

describe('deploymentOf', () => {
  it('deploymentOf reads every resource from its variable', () => {
    expect(deploymentOf(complete)).toMatchObject({
      partition: 'aws',
      accountId: account,
      tableName: 'epsilon-dev',
      batchJobDefinitionArns: { train: expect.stringContaining('train:1') as string },
    });
  });

  it.each([
    [{ EPSILON_AWS_TABLE_NAME: undefined }, deploymentVariables.tableName],
    [{ EPSILON_AWS_ACCOUNT_ID: '12' }, 'EPSILON_AWS_ACCOUNT_ID: must be 12 digits'],
    [{ EPSILON_AWS_JOB_ROLE_ARN: 'role/job' }, 'EPSILON_AWS_JOB_ROLE_ARN: must be an ARN'],
    [{ EPSILON_AWS_BATCH_JOB_DEFINITION_ARNS: '{"tarin":"x"}' }, 'EPSILON_AWS_BATCH_JOB_DEFINITION_ARNS'],
    [{ EPSILON_AWS_REPOSITORY_URLS: '{' }, 'EPSILON_AWS_REPOSITORY_URLS'],
  ])('deploymentOf refuses %j naming the variable', (over, named) => {
    expect(() => deploymentOf({ ...complete, ...over })).toThrow(named);
  });

  it('deploymentOf leaves the settings to loadConfig', () => {
    const file = {
      environment: 'dev',
      region: 'us-west-2',
      dataBucket: 'bucket',
      reconcile: { shards: 1 },
      quality: { gate: 'optional', maxAgeHours: 26, maxBytes: 1_000_000 },
      training: {
        maxConcurrency: 1,
        deadline: '08:00',
        successTarget: 0.95,
        leaseSeconds: 900,
        preemptionsBeforeOnDemand: 2,
        placementSeconds: 600,
        lookupGraceSeconds: 5,
      },
      queueSize: {
        batchSpotVcpus: 0,
        batchOnDemandVcpus: 0,
        eksSpotVcpus: 0,
        eksOnDemandVcpus: 0,
        memoryPerVcpu: 1792,
      },
      workloads: { reference: { modelTypes: { skipgram: {} } } },
      scaling: { mode: 'off' },
      recovery: { mode: 'off' },
    };
    expect(loadConfig({ file, variables: complete }).environment).toBe('dev');
  });
});

describe('stateMachineArn', () => {
  it('stateMachineArn follows from environment, region, account and key', () => {
    expect(
      stateMachineArn(
        { partition: 'aws', accountId: account },
        { environment: 'dev', region: 'us-west-2' },
        'nightly-training',
      ),
    ).toBe(`arn:aws:states:us-west-2:${account}:stateMachine:epsilon-dev-nightly-training`);
  });
});
