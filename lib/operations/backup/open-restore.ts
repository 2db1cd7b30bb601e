import type { PointRecord, RestoreRecord } from '../../backup/cloud/records.ts';
import { type KnownSchema, knownSchema, refuseForeignSchema } from '../../backup/cloud/records-schema.ts';
import type { DatabaseSettings } from '../../backup/cloud/resources.ts';
import { chooseMoment, refuseForeign, refuseLive, targetNames } from '../../backup/cloud/restore-plan.ts';
import { newest } from '../../backup/points.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { isoNow } from '../../ports/clock.ts';
import type { Ports } from '../../ports/ports.ts';
import { required } from './required.ts';

type Needed = Pick<
  Ports,
  'databases' | 'tables' | 'replica' | 'recoveryRecords' | 'config' | 'clock' | 'log'
>;

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

/** Points that are looked back at: one an hour, of the longest window that a store can be restored to. */
const pointsBack = 24 * 36;

/** The points that the environment has recorded, as their replica has them: nothing is asked of the region that may be lost. */
function pointsOf({ tables }: Needed): Promise<PointRecord[]> {
  const { there, name } = required(tables);
  return there.stores(name).recoveryRecords.newest('point', pointsBack);
}

function settingsOf(points: readonly PointRecord[]): DatabaseSettings {
  const found = points.find(({ databaseSettings }) => databaseSettings !== undefined)?.databaseSettings;
  if (found) return found;
  throw new EpsilonError(
    'RESTORE_SETTING_MISSING',
    'No point on record has the settings of the database, so that a restored one would have the defaults of its service. Start the machine "backup" first.',
    { exitCode: exitCodes.backend },
  );
}

/** The instant from which on everything that records named is kept (ISO 8601); `now` is in milliseconds. */
function objectsFrom({ config: { recovery } }: Needed, now: number): string {
  const days = recovery.mode === 'on' ? recovery.retention.objectDays : 0;
  return new Date(now - days * 86_400_000).toISOString();
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
 * nothing of the region that may be lost. Errors: those of `chooseMoment`, `refuseLive`, `refuseForeign` and
 * `refuseForeignSchema`, `RESTORE_TARGET_NOT_EMPTY`, `RESTORE_SETTING_MISSING`. `schema` is the shape of records that this code knows.
 */
export async function openRestore(
  ports: Needed,
  request: RestoreRequest,
  schema: KnownSchema = knownSchema,
): Promise<RestoreRecord> {
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
  const reach = { database, table, objectsFrom: objectsFrom(ports, now) };
  const point = chooseMoment(request.to, reach, now);
  const databaseFrom = database?.arn ?? '';
  refuseForeign(databaseFrom, databases.keyArn);
  const points = await pointsOf(ports);
  refuseForeignSchema(point, chooseMoment(newest, reach, now), points, schema);
  await refuseTaken(ports, names);
  const settings = settingsOf(points);
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
