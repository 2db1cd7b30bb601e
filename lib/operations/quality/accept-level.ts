import { EpsilonError } from '../../errors/epsilon-error.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { findTenant } from '../tenants/find-tenant.ts';

/** An operator's decision that a tenant's data is as it should be now. */
export interface LevelRequest {
  readonly tenantId: string;
  /** Why, for the audit log. */
  readonly reason: string;
}

/** From when on what is usual is learnt again. */
export interface AcceptedLevel {
  readonly tenantId: string;
  readonly acceptedAt: string;
}

/** No data has this digest, so that the next check looks at whatever is there. */
const noDigest = '0'.repeat(64);

/**
 * Forgets what was usual of a tenant's data: the next check looks at it again and learns from there. What was judged stays in the
 * history. A check that began before learns nothing any more. `TENANT_NOT_FOUND`, `QUALITY_NOT_LEARNT`, `INPUT_INVALID` without a reason.
 */
export async function acceptLevel(
  ports: Pick<Ports, 'tenants' | 'verdicts' | 'clock'>,
  { tenantId, reason }: LevelRequest,
): Promise<AcceptedLevel> {
  await findTenant(ports, tenantId);
  if (reason.trim() === '')
    throw new EpsilonError('INPUT_INVALID', 'A new level is accepted for a reason; none was given.');
  const memory = await ports.verdicts.memory(tenantId);
  if (!memory)
    throw new EpsilonError(
      'QUALITY_NOT_LEARNT',
      `Nothing was learnt of the data of "${tenantId}" yet, so that no level can be new.`,
    );
  const now = isoNow(ports.clock);
  await ports.verdicts.remember({
    tenantId,
    checkedAt: now,
    profile: { ...memory.profile, digest: noDigest },
    baseline: { detectors: {}, count: 0, since: now },
  });
  return { tenantId, acceptedAt: now };
}
