import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { statementsOf } from '../../../../infra/pulumi/policy/statements.ts';
import { createJobSessions } from '../../../../lib/aws/sts/job-sessions.ts';
import { type Facts, permits } from '../../../infra/pulumi/iam.ts';

const sts = mockClient(STSClient);
const roleArn = 'arn:aws:iam::123456789012:role/epsilon-dev-tenant-job';
const taskId = '0123456789abcdef0123456789abcdef';
const taskArn = `arn:aws:ecs:us-west-2:123456789012:task/cluster/${taskId}`;

const sessionsOf = (...jobs: readonly object[]) =>
  createJobSessions({
    calls: { describe: async () => [...jobs] as never },
    client: new STSClient({ region: 'us-west-2' }),
    roleArn,
    partition: 'aws',
  });

const scope = {
  tenantId: 'acme',
  name: 'acme-2026-11-24/train/1',
  read: ['s3://data/acme/runs/acme-2026-11-24/', 's3://data/acme/documents/*.txt'],
  write: 's3://data/acme/runs/acme-2026-11-24/train/1/',
};

beforeEach(() => {
  sts.reset();
  const Expiration = new Date(900_000);
  sts.on(AssumeRoleCommand).resolves({
    Credentials: { AccessKeyId: 'ASIA', SecretAccessKey: 'hidden', SessionToken: 'token', Expiration },
  });
});

async function policyOf(of: typeof scope): Promise<string> {
  await sessionsOf().begin(of);
  return sts.commandCalls(AssumeRoleCommand)[0]?.args[0].input.Policy ?? '';
}

describe('sessions of jobs on Batch', () => {
  it.each([
    ['STARTING', taskId],
    ['RUNNING', taskId],
    ['RUNNABLE', undefined],
    ['SUCCEEDED', undefined],
    ['FAILED', undefined],
  ])('have the task of a job that is %s: %s', async (status, task) => {
    expect(await sessionsOf({ status, container: { taskArn } }).taskOf('1')).toBe(task);
  });

  it('have no task of a job that Batch does not know, or has not placed', async () => {
    expect(await sessionsOf().taskOf('1')).toBeUndefined();
    expect(await sessionsOf({ status: 'STARTING', container: {} }).taskOf('1')).toBeUndefined();
  });

  it('last fifteen minutes, for one tenant, under the name of the attempt', async () => {
    const policy = await policyOf(scope);
    expect(sts.commandCalls(AssumeRoleCommand)[0]?.args[0].input).toEqual({
      RoleArn: roleArn,
      RoleSessionName: 'acme-2026-11-24-train-1',
      DurationSeconds: 900,
      Tags: [{ Key: 'TenantId', Value: 'acme' }],
      Policy: policy,
    });
  });

  it.each([
    ['acme/runs/acme-2026-11-24/train/1/x', true, true],
    ['acme/runs/acme-2026-11-24/prepare/1/x', true, false],
    ['acme/runs/acme-2026-11-24/train/11/x', true, false],
    ['acme/runs/acme-2026-11-23/train/1/x', false, false],
    ['acme/documents/a.txt', true, false],
    ['acme/model.bin', false, false],
    ['beta/documents/a.txt', false, false],
    ['nights/2026-11-24.json', false, false],
  ])('T5: reach %s: read %s, write %s', async (key, read, write) => {
    const statements = statementsOf(await policyOf(scope));
    const may = (action: string, facts: Facts = {}) =>
      permits(statements, { action, resource: `arn:aws:s3:::data/${key}`, facts });
    expect([may('s3:GetObject'), may('s3:PutObject')]).toEqual([read, write]);
    expect(may('s3:DeleteObject')).toBe(false);
    const listing = permits(statements, {
      action: 's3:ListBucket',
      resource: 'arn:aws:s3:::data',
      facts: { 's3:prefix': key },
    });
    expect(listing).toBe(read);
  });

  it('T5: never list the bucket', async () => {
    const statements = statementsOf(await policyOf(scope));
    for (const prefix of ['', 'acme', 'acme/', 'beta/'])
      expect(
        permits(statements, {
          action: 's3:ListBucket',
          resource: 'arn:aws:s3:::data',
          facts: { 's3:prefix': prefix },
        }),
        prefix,
      ).toBe(false);
  });

  it('T5: read a name with a letter of patterns as that name', async () => {
    const policy = await policyOf({ ...scope, read: ['s3://data/acme/runs/acme-${aws:username}/'] });
    expect(policy).toContain('acme-${$}*');
  });

  it('are refused when their scope does not fit, before anything is asked', async () => {
    const long = { ...scope, read: [`s3://data/acme/${'x'.repeat(2_000)}`] };
    await expect(sessionsOf().begin(long)).rejects.toMatchObject({ code: 'SESSION_SCOPE_TOO_LONG' });
    expect(sts.commandCalls(AssumeRoleCommand)).toHaveLength(0);
  });
});
