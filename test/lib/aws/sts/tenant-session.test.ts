import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { createTenantSession } from '../../../../lib/aws/sts/tenant-session.ts';
import { VirtualClock } from '../../../../local/clock/virtual-clock.ts';

const sts = mockClient(STSClient);
const start = Date.parse('2026-11-24T02:00:00Z');
const roleArn = 'arn:aws:iam::123456789012:role/epsilon-prod-tenant-job';

afterEach(() => sts.reset());

function open(over: { readonly tenantId?: string; readonly sessionName?: string } = {}) {
  const clock = new VirtualClock(start);
  let given = 0;
  sts.on(AssumeRoleCommand).callsFake(async () => {
    given += 1;
    return {
      Credentials: {
        AccessKeyId: `key-${given}`,
        SecretAccessKey: 'secret',
        SessionToken: 'session',
        Expiration: new Date(clock.now() + 3_600_000),
      },
    };
  });
  const session = createTenantSession({
    roleArn,
    tags: { TenantId: 'acme' },
    sessionName: 'acme-2026-11-24-train',
    clock,
    client: new STSClient({ region: 'us-west-2' }),
    ...over,
  });
  return { clock, session };
}

describe('a tenant session', () => {
  it('a tenant session assumes the tenant role with the tag TenantId, for an hour, under the name of the run', async () => {
    const { session } = open();
    expect(await session()).toMatchObject({ accessKeyId: 'key-1', sessionToken: 'session' });
    expect(sts.commandCalls(AssumeRoleCommand)[0]?.args[0].input).toEqual({
      RoleArn: roleArn,
      RoleSessionName: 'acme-2026-11-24-train',
      DurationSeconds: 3_600,
      Tags: [{ Key: 'TenantId', Value: 'acme' }],
    });
  });

  it('a tenant session is requested once for many callers, and again ten minutes before it ends', async () => {
    const { clock, session } = open();
    await Promise.all([session(), session(), session()]);
    await clock.advance(49 * 60_000);
    expect((await session()).accessKeyId).toBe('key-1');
    await clock.advance(2 * 60_000);
    const [one, two] = await Promise.all([session(), session()]);
    expect([one.accessKeyId, two.accessKeyId]).toEqual(['key-2', 'key-2']);
    expect(sts.commandCalls(AssumeRoleCommand)).toHaveLength(2);
  });

  it('F20: a refused tenant session names action, tenant and role; the next caller asks again', async () => {
    const { session } = open();
    sts
      .on(AssumeRoleCommand)
      .rejectsOnce(Object.assign(new Error('no'), { name: 'AccessDenied' }))
      .resolves({
        Credentials: {
          AccessKeyId: 'late',
          SecretAccessKey: 's',
          SessionToken: 't',
          Expiration: new Date(start + 3_600_000),
        },
      });
    await expect(session()).rejects.toMatchObject({
      code: 'AWS_ACCESS_DENIED',
      details: { action: 'sts:AssumeRole as tenant acme', resource: roleArn },
    });
    expect((await session()).accessKeyId).toBe('late');
  });

  it('a tenant session has a name that STS accepts, whatever the run is called', async () => {
    const { session } = open({ sessionName: `run/with spaces:${'x'.repeat(80)}` });
    await session();
    const name = sts.commandCalls(AssumeRoleCommand)[0]?.args[0].input.RoleSessionName ?? '';
    expect(name).toMatch(/^[\w+=,.@-]{2,64}$/);
  });
});
