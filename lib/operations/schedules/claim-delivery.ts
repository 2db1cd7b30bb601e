import { AlreadyClaimed } from '../../errors/run-errors.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';

/** A delivery of a schedule to an execution: which machine's, for which time, to whom. */
export interface Delivery {
  readonly machine: string;
  /** ISO 8601 instant; what the schedule puts in. */
  readonly scheduledTime: string;
  /** ARN of the execution. */
  readonly holder: string;
}

/**
 * Claims the scheduled time for one execution: the scheduler delivers at least once. Claiming again for the same execution succeeds;
 * `AlreadyClaimed` when another one has it.
 */
export async function claimDelivery(
  { claims, clock }: Pick<Ports, 'claims' | 'clock'>,
  { machine, scheduledTime: given, holder: own }: Delivery,
): Promise<void> {
  const scheduledTime = new Date(given).toISOString();
  const { claimed, holder } = await claims.claim({ machine, scheduledTime, holder: own, now: isoNow(clock) });
  if (!claimed) throw new AlreadyClaimed(machine, scheduledTime, holder);
}
