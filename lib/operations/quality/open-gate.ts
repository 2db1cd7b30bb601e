import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { Ports } from '../../ports/ports.ts';
import type { GateOverride } from '../../quality/verdict.ts';
import { findTenant } from '../tenants/find-tenant.ts';

/** Longest time that an operator's decision may hold. */
const mostHours = 168;

/** An operator's decision that a tenant is trained whatever its data's verdict is. */
export interface GateRequest {
  readonly tenantId: string;
  readonly reason: string;
  /** How long the decision holds; 0 ends one that is in force. */
  readonly hours: number;
}

/**
 * Opens a tenant's gate for some hours, at most 168, or gives it back to the verdict (0 hours). `TENANT_NOT_FOUND`; `INPUT_INVALID` for
 * other hours or an empty reason.
 */
export async function openGate(
  ports: Pick<Ports, 'tenants' | 'verdicts' | 'clock'>,
  { tenantId, reason, hours }: GateRequest,
): Promise<GateOverride> {
  await findTenant(ports, tenantId);
  if (!(hours >= 0 && hours <= mostHours))
    throw new EpsilonError(
      'INPUT_INVALID',
      `A gate is opened for 0 to ${mostHours} hours, not for ${hours}.`,
    );
  if (reason.trim() === '')
    throw new EpsilonError('INPUT_INVALID', 'A gate is opened for a reason; none was given.');
  const now = ports.clock.now();
  const override = {
    tenantId,
    reason,
    decidedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + hours * 3_600_000).toISOString(),
  };
  await ports.verdicts.putOverride(override);
  return override;
}
