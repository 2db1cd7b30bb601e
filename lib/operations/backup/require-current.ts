import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Ports } from '../../ports/ports.ts';
import { isSuperseded } from '../reconcile/retire-superseded.ts';

/**
 * Refuses to begin anything where a restored state goes on instead of these records (`STATE_SUPERSEDED`): both would train. Gives the
 * epoch of the records.
 */
export async function requireCurrent({ recoveryRecords }: Pick<Ports, 'recoveryRecords'>): Promise<number> {
  const found = await recoveryRecords.epoch();
  const { epoch, supersededBy } = found;
  if (!isSuperseded(found)) return epoch;
  throw new EpsilonError(
    'STATE_SUPERSEDED',
    `These records are of epoch ${epoch}; a state of epoch ${supersededBy} was restored from them and goes on instead. Nothing is begun here.`,
    { exitCode: exitCodes.conflict, details: { epoch, supersededBy } },
  );
}
