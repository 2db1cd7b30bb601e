import type { RestoreRecord } from '../../backup/cloud/records.ts';
import { recoveryCause } from '../../backup/recovery.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { RecordsRecovered } from '../../ports/backup/table-service.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';
import { verifyRestore } from './verify-restore.ts';

type Needed = Parameters<typeof verifyRestore>[0] & Pick<Ports, 'clock'>;

/** What was promoted. */
export interface Promoted {
  readonly record: RestoreRecord;
  readonly recovered: RecordsRecovered;
}

function refuse(message: string, details: Readonly<Record<string, unknown>>): EpsilonError {
  return new EpsilonError('RESTORE_NOT_APPROVED', message, { exitCode: exitCodes.conflict, details });
}

function requireApproved({ id, drill, state, digest }: RestoreRecord, approved: string): void {
  if (drill) throw refuse(`${id} is of a drill, which nothing is promoted of.`, { id });
  if (state !== 'verified' && state !== 'promoted')
    throw refuse(`Restore ${id} is ${state}; only one that was verified can be approved.`, { id, state });
  if (digest !== approved)
    throw refuse(`${approved} is not the digest of restore ${id}, which is ${digest}.`, {
      id,
      digest,
      approved,
    });
}

/**
 * Makes what was approved the state that goes on: it is verified again, then the records it was made of are told that they are
 * superseded (their replica reaches the old region when that comes back), then everything that was under way is ended and the epoch
 * raised above every other. Can be done again. `RESTORE_NOT_APPROVED`.
 */
export async function promoteRestore(
  ports: Needed,
  record: RestoreRecord,
  approved: string,
): Promise<Promoted> {
  const { clock, recoveryRecords, log } = ports;
  requireApproved(record, approved);
  const { there, name } = required(ports.tables);
  const again = record.state === 'promoted' ? record : await verifyRestore(ports, record);
  requireApproved({ ...again, state: record.state }, approved);
  const [old, restored] = [there.stores(name), there.stores(record.target.table)];
  const behind = await Promise.all([old.recoveryRecords.epoch(), restored.recoveryRecords.epoch()]);
  const epoch =
    record.epoch ?? Math.max(...behind.flatMap((found) => [found.epoch, found.supersededBy ?? 0])) + 1;
  await recoveryRecords.put({ ...again, epoch });
  await old.supersede(epoch);
  const at = isoNow(clock);
  const recovered = await restored.recover({ epoch, at, cause: recoveryCause(record.id, record.point) });
  const promoted: RestoreRecord = { ...again, epoch, state: 'promoted' };
  await recoveryRecords.put(promoted);
  log.warn('restore promoted', { id: record.id, epoch, ...recovered });
  return { record: promoted, recovered };
}
