import type { RestoreRecord } from '../../backup/cloud/records.ts';
import { chooseMoment, refuseForeign, refuseLive, targetNames } from '../../backup/cloud/restore-plan.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

type Needed = Pick<Ports, 'databases' | 'tables' | 'replica' | 'recoveryRecords' | 'clock' | 'log'>;

/** What is asked of a restore. */
export interface RestoreRequest {
  readonly to: string;
  readonly drill: boolean;
  /** The execution: a repeated invocation goes on with the same restore. */
  readonly execution: string;
  readonly database?: string | undefined;
  readonly table?: string | undefined;
}

/** Milliseconds that a restore may take: the specification's four hours. */
const longestMs = 4 * 3_600_000;

/** Points that are looked back at for the settings of the database. */
const pointsBack = 72;

/** The points that the environment has recorded, as their replica has them: nothing is asked of the region that may be lost. */
async function settingsOf({ tables }: Needed) {
  const { there, name } = required(tables);
  const points = await there.stores(name).recoveryRecords.newest('point', pointsBack);
  const found = points.find(({ databaseSettings }) => databaseSettings !== undefined)?.databaseSettings;
  if (found) return found;
  throw new EpsilonError(
    'RESTORE_SETTING_MISSING',
    'No point on record has the settings of the database, so that a restored one would have the defaults of its service. Start the machine "backup" first.',
    { exitCode: exitCodes.backend },
  );
}

async function refuseTaken(
  { databases, tables }: Needed,
  names: { database: string; table: string },
): Promise<void> {
  const [database, table] = await Promise.all([
    required(databases).there.instance(names.database),
    required(tables).there.table(names.table),
  ]);
  const taken = [database && names.database, table && names.table].filter((name) => name !== undefined);
  if (taken.length === 0) return;
  throw new EpsilonError(
    'RESTORE_TARGET_NOT_EMPTY',
    `${taken.join(' and ')} exists already in ${required(databases).there.region}; a restore makes new ones.`,
    { exitCode: exitCodes.conflict, details: { taken } },
  );
}

/**
 * Chooses the moment and refuses what must not be restored onto, before anything is changed; then puts the restore on record. Asks
 * nothing of the region that may be lost. Errors: those of `chooseMoment`, `refuseLive` and `refuseForeign`,
 * `RESTORE_TARGET_NOT_EMPTY`, `RESTORE_SETTING_MISSING`.
 */
export async function openRestore(ports: Needed, request: RestoreRequest): Promise<RestoreRecord> {
  const { clock, recoveryRecords, log } = ports;
  const [databases, tables, replica] = [
    required(ports.databases),
    required(ports.tables),
    required(ports.replica),
  ];
  const live = { database: databases.id, table: tables.name };
  const made = targetNames(live, request);
  const known = await recoveryRecords.get('restore', made.id);
  if (known) return known;
  const names = { database: request.database ?? made.database, table: request.table ?? made.table };
  refuseLive(live, names);
  const [database, table] = await Promise.all([
    databases.there.continuousBackup(databases.id),
    tables.there.continuousBackup(tables.name),
  ]);
  const now = clock.now();
  const point = chooseMoment(request.to, { database, table }, now);
  const databaseFrom = database?.arn ?? '';
  refuseForeign(databaseFrom, databases.keyArn);
  await refuseTaken(ports, names);
  const settings = await settingsOf(ports);
  const record: RestoreRecord = {
    kind: 'restore',
    id: made.id,
    drill: request.drill,
    point,
    beganAt: isoNow(clock),
    deadline: new Date(now + longestMs).toISOString(),
    target: { region: databases.there.region, ...names, bucket: replica.bucket },
    databaseFrom,
    databaseSettings: {
      ...settings,
      ...databases.landing,
      // What a drill makes goes again, and nobody works on it.
      ...(request.drill ? { deletionProtection: false, multiAz: false } : {}),
    },
    state: 'restoring',
  };
  await recoveryRecords.put(record);
  log.info('restore opened', { id: record.id, point, target: record.target });
  return record;
}

/** A restore on record; `RESTORE_NOT_FOUND`. */
export async function restoreOf(
  { recoveryRecords }: Pick<Ports, 'recoveryRecords'>,
  id: string,
): Promise<RestoreRecord> {
  const found = await recoveryRecords.get('restore', id);
  if (found) return found;
  throw new EpsilonError('RESTORE_NOT_FOUND', `There is no restore "${id}" on record.`);
}
