import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callerOf } from '../../../../lib/aws/operator/caller.ts';
import { deploymentFacts } from '../../../../lib/aws/operator/deployment-facts.ts';
import { findParameters } from '../../../../lib/aws/operator/parameters.ts';
import { awsSettings, deployed, parametersOf } from './deployed.ts';

const sts = mockClient(STSClient);
const ssm = mockClient(SSMClient);
const who = new STSClient({ region: 'us-west-2' });
const store = new SSMClient({ region: 'us-west-2' });
const caller = { accountId: '123456789012', partition: 'aws', arn: 'arn:aws:sts::123456789012:role/r' };
const failing = (name: string) => Object.assign(new Error(name), { name });

beforeEach(() => {
  ssm.on(GetParametersCommand).callsFake(parametersOf(deployed));
});

afterEach(() => {
  sts.reset();
  ssm.reset();
});

describe('the owner of credentials', () => {
  it('account and partition come from STS', async () => {
    sts
      .on(GetCallerIdentityCommand)
      .resolves({ Account: '123456789012', Arn: 'arn:aws-cn:sts::123456789012:assumed-role/r/s' });
    expect(await callerOf(who, { environment: 'dev' })).toEqual({
      accountId: '123456789012',
      partition: 'aws-cn',
      arn: 'arn:aws-cn:sts::123456789012:assumed-role/r/s',
    });
  });

  it('WRONG_ACCOUNT names both accounts, and nothing is done', async () => {
    sts.on(GetCallerIdentityCommand).resolves({ Account: '123456789012', Arn: caller.arn });
    await expect(callerOf(who, { environment: 'prod', account: '999999999999' })).rejects.toMatchObject({
      code: 'WRONG_ACCOUNT',
      exitCode: 2,
      message: expect.stringMatching(
        /belong to account 123456789012, but environment prod is configured for account 999999999999; nothing was changed/,
      ),
    });
  });
});

describe('facts that infrastructure left in SSM', () => {
  it('parameters are read in one call and become the same facts that functions have', async () => {
    expect(await deploymentFacts(store, awsSettings, caller)).toEqual({
      partition: 'aws',
      accountId: '123456789012',
      tableName: 'epsilon-dev',
      eventBusName: 'epsilon-dev',
      alertsTopicArn: deployed['alerts/topic-arn'],
      batchSpotQueueArn: deployed['batch/spot-queue-arn'],
      batchOnDemandQueueArn: deployed['batch/on-demand-queue-arn'],
      batchJobDefinitionArns: {},
      repositoryUrls: { 'data-pipeline': 'd', 'ml-engine': 'm', deployer: 'p' },
      jobRoleArn: deployed['jobs/role-arn'],
      eksClusterName: 'embeddings-saas-cluster-dev',
    });
    expect(ssm.commandCalls(GetParametersCommand)).toHaveLength(1);
  });

  it('SSM_PARAMETER_MISSING names the parameter and what creates it', async () => {
    const { 'jobs/role-arn': _, ...some } = deployed;
    ssm.on(GetParametersCommand).callsFake(parametersOf(some));
    await expect(deploymentFacts(store, awsSettings, caller)).rejects.toMatchObject({
      code: 'SSM_PARAMETER_MISSING',
      exitCode: 2,
      message:
        'SSM parameter /epsilon/dev/jobs/role-arn does not exist in us-west-2: provision environment dev first (docs/provision.md), or name another with --environment or --region.',
    });
    ssm.on(GetParametersCommand).callsFake(parametersOf({}));
    await expect(deploymentFacts(store, awsSettings, caller)).rejects.toThrow(
      '/epsilon/dev/alerts/topic-arn and 9 more',
    );
  });

  it.each([
    [
      { 'batch/spot-queue-arn': 'arn:aws:batch:us-west-2:999999999999:job-queue/q' },
      'account',
      '999999999999',
    ],
    [{ 'alerts/topic-arn': 'arn:aws:sns:eu-west-1:123456789012:t' }, 'region', 'eu-west-1'],
    [{ 's3/data-bucket': 'other-bucket' }, 'bucket', 'other-bucket'],
  ])('ARN_MISMATCH when it is about another place: %j', async (over, what, actual) => {
    ssm.on(GetParametersCommand).callsFake(parametersOf({ ...deployed, ...over }));
    await expect(deploymentFacts(store, awsSettings, caller)).rejects.toMatchObject({
      code: 'ARN_MISMATCH',
      message: expect.stringContaining(what),
      details: { actual },
    });
  });

  it('parameters are read ten names at a time', async () => {
    const names = Array.from({ length: 23 }, (_, n) => `a/${n}`);
    ssm.on(GetParametersCommand).callsFake(parametersOf({ 'a/0': 'x', 'a/22': 'y' }));
    expect(await findParameters(store, 'dev', names)).toEqual(
      new Map([
        ['a/0', 'x'],
        ['a/22', 'y'],
      ]),
    );
    expect(ssm.commandCalls(GetParametersCommand).map((call) => call.args[0].input.Names?.length)).toEqual([
      10, 10, 3,
    ]);
  });

  it.each([
    ['ThrottlingException', { name: 'Throttled' }],
    ['AccessDeniedException', { code: 'AWS_ACCESS_DENIED', details: { action: 'ssm:GetParameters' } }],
    ['TimeoutError', { name: 'TimeoutError' }],
  ])('a failed read reports %s with a code of its own', async (name, told) => {
    ssm.on(GetParametersCommand).rejects(failing(name));
    await expect(deploymentFacts(store, awsSettings, caller)).rejects.toMatchObject(told);
  });
});
