import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Ports } from '../../ports/ports.ts';

/**
 * Refuses to begin anything where a restored state goes on instead of these records (`STATE_SUPERSEDED`): both would train. Gives the
 * epoch of the records.
 */
export async function requireCurrent({ recoveryRecords }: Pick<Ports, 'recoveryRecords'>): Promise<number> {
  const { epoch, supersededBy } = await recoveryRecords.epoch();
  if (supersededBy === undefined || supersededBy <= epoch) return epoch;
  throw new EpsilonError(
    'STATE_SUPERSEDED',
    `These records are of epoch ${epoch}; a state of epoch ${supersededBy} was restored from them and goes on instead. Nothing is begun here.`,
    { exitCode: exitCodes.conflict, details: { epoch, supersededBy } },
  );
}
