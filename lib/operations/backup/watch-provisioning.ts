import type { Ports } from '../../ports/ports.ts';

type Needed = Pick<Ports, 'provisioning' | 'clock' | 'metrics'>;

/**
 * Says how long the provisioning took that was measured last, and how long ago that was. Nothing where none was measured: an environment may
 * have been made by hand.
 */
export async function watchProvisioning({ provisioning, clock, metrics }: Needed): Promise<void> {
  const now = clock.now();
  const measured = await provisioning?.newest(now);
  if (!measured) return;
  metrics.duration('ProvisioningDuration', measured.milliseconds);
  metrics.duration('ProvisioningAge', Math.max(0, now - Date.parse(measured.at)));
}
