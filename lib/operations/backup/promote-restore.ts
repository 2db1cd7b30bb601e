import { currentPlace, type PlaceRecord, type RestoreRecord } from '../../backup/cloud/records.ts';
import { recoveryCause } from '../../backup/recovery.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { machines } from '../../machines/catalogue.ts';
import type { RecordsRecovered } from '../../ports/backup/table-service.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';
import { verifyRestore } from './verify-restore.ts';

type Needed = Parameters<typeof verifyRestore>[0] & Pick<Ports, 'clock'>;

/** Where consumers find the promoted stores. */
async function placeOf(
  { databases, clock }: Needed,
  { id, target }: RestoreRecord,
  epoch: number,
): Promise<PlaceRecord> {
  const { endpoint, secretArn } = (await required(databases).there.instance(target.database)) ?? {};
  return {
    kind: 'place',
    id: currentPlace,
    epoch,
    restore: id,
    ...target,
    ...(endpoint === undefined ? {} : { endpoint: `${endpoint.host}:${endpoint.port}` }),
    ...(secretArn === undefined ? {} : { secretArn }),
    at: isoNow(clock),
  };
}

/** Machines whose scheduled times are claimed. */
const claiming = machines
  .filter(({ startedBy }) => startedBy.some((starter) => 'schedule' in starter))
  .map(({ key }) => key);

/** What was promoted. */
export interface Promoted {
  readonly record: RestoreRecord;
  readonly recovered: RecordsRecovered;
}

function refuse(message: string, details: Readonly<Record<string, unknown>>): EpsilonError {
  return new EpsilonError('RESTORE_NOT_APPROVED', message, { exitCode: exitCodes.conflict, details });
}

function overtaken(id: string, epoch: number, highest: number): EpsilonError {
  return new EpsilonError(
    'RESTORE_OVERTAKEN',
    `Restore ${id} is of epoch ${epoch}, and records of epoch ${highest} go on since; what it restored is behind them.`,
    { exitCode: exitCodes.conflict, details: { id, epoch, highest } },
  );
}

function requireApproved({ id, drill, state, digest }: RestoreRecord, approved: string): void {
  if (drill) throw refuse(`${id} is of a drill, which nothing is promoted of.`, { id });
  if (state !== 'verified' && state !== 'promoted' && state !== 'serving')
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
  const again =
    record.state === 'promoted' || record.state === 'serving' ? record : await verifyRestore(ports, record);
  requireApproved({ ...again, state: record.state }, approved);
  const [old, restored] = [there.stores(name), there.stores(record.target.table)];
  const [place, ...behind] = await Promise.all([
    recoveryRecords.get('place', currentPlace),
    old.recoveryRecords.epoch(),
    restored.recoveryRecords.epoch(),
  ]);
  const highest = Math.max(
    place?.epoch ?? 0,
    ...behind.flatMap((found) => [found.epoch, found.supersededBy ?? 0]),
  );
  const epoch = record.epoch ?? highest + 1;
  if (epoch < highest) throw overtaken(record.id, epoch, highest);
  await recoveryRecords.put({ ...again, epoch });
  await old.supersede(epoch);
  // What an earlier promotion made goes on no more either.
  if (place && place.table !== record.target.table) await there.stores(place.table).supersede(epoch);
  const at = isoNow(clock);
  const recovered = await restored.recover({
    epoch,
    at,
    cause: recoveryCause(record.id, record.point),
    claims: await old.claimsAfter(record.point, claiming),
    buckets: { from: ports.config.dataBucket, to: record.target.bucket },
  });
  const promoted: RestoreRecord = { ...again, epoch, state: 'promoted' };
  await recoveryRecords.put(promoted);
  // Last: from here on consumers work on it.
  await recoveryRecords.put(await placeOf(ports, promoted, epoch));
  log.warn('restore promoted', { id: record.id, epoch, ...recovered });
  return { record: promoted, recovered };
}
