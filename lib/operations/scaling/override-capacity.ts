import { EpsilonError } from '../../errors/epsilon-error.ts';
import type { Ports } from '../../ports/ports.ts';
import { type ScalingConfig, scalingSettings } from '../../scaling/configuration.ts';
import type { CapacityOverride } from '../../scaling/decide.ts';
import { highestFloor } from '../../scaling/floors.ts';
import { writeOverride } from './capacity-records.ts';

/** Longest time that an operator's number may hold. */
const mostHours = 168;

/** A least number of replicas that holds instead of the plan, or the end of one. */
export interface OverrideRequest {
  readonly minReplicas: number;
  readonly reason: string;
  /** How long it holds; 0 ends the one that is in force. */
  readonly hours: number;
}

/** The settings where something is decided. Error: `SCALING_OFF`. */
function decidedBy({ scaling }: Ports['config']): ScalingConfig {
  if (scaling.mode !== 'off') return scaling;
  throw new EpsilonError(
    'SCALING_OFF',
    'Nothing decides about capacity here: the settings say "scaling: { mode: off }" (docs/scaling.md).',
  );
}

/**
 * Sets the least replicas for some hours, at most 168, whatever the plan says, or gives them back to it (0 hours). It takes effect with the next
 * decision. `SCALING_OFF`; `INPUT_INVALID` for hours or a number outside the bounds or an empty reason.
 */
export async function overrideCapacity(
  ports: Pick<Ports, 'objects' | 'config' | 'clock'>,
  { minReplicas, reason, hours }: OverrideRequest,
): Promise<CapacityOverride> {
  const { fleet } = scalingSettings(decidedBy(ports.config));
  const most = highestFloor(fleet);
  const refuse = (why: string) => new EpsilonError('INPUT_INVALID', why);
  if (!(hours >= 0 && hours <= mostHours))
    throw refuse(`Capacity is set for 0 to ${mostHours} hours, not for ${hours}.`);
  if (!Number.isInteger(minReplicas) || minReplicas < fleet.minReplicas || minReplicas > most)
    throw refuse(
      `The least replicas are a whole number from ${fleet.minReplicas} to ${most}, not ${minReplicas}.`,
    );
  if (reason.trim() === '') throw refuse('Capacity is set for a reason; none was given.');
  const now = ports.clock.now();
  const override = {
    minReplicas,
    reason,
    decidedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + hours * 3_600_000).toISOString(),
  };
  await writeOverride(ports, override);
  return override;
}
