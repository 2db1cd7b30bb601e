import { fromHttp } from '@aws-sdk/credential-provider-http';
import { z } from 'zod';
import { openTenantSession } from '../../lib/aws/sts/tenant-session.ts';
import { SystemClock } from '../../lib/system/system-clock.ts';

/** Which role is taken, and for whom. */
export interface RoleQuestion {
  readonly roleArn: string;
  readonly region: string;
  readonly runId: string;
  readonly stage: string;
  readonly tenantId: string;
  /** JSON: the tags that the pod's name proves. Version 1 of the contract names the tenant alone. */
  readonly tags: string;
}

/** In Kubernetes: the tenant role, taken as the pod; the SDK's own chain would lead back to this program. */
export async function fromRole({
  roleArn,
  region,
  runId,
  stage,
  tenantId,
  tags,
}: RoleQuestion): Promise<string> {
  const session = await openTenantSession({
    roleArn,
    tags: { ...z.record(z.string(), z.string()).parse(JSON.parse(tags)), TenantId: tenantId },
    sessionName: `${runId}-${stage}`,
    clock: new SystemClock(),
    region,
    credentials: fromHttp({ maxRetries: 3 }),
  })();
  return JSON.stringify({
    Version: 1,
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: session.expiration.toISOString(),
  });
}
