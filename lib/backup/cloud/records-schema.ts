import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { PointRecord, RecordsSchema } from './records.ts';

/** Which shape records have that this code writes, and which it reads. */
export interface KnownSchema extends RecordsSchema {
  /** The oldest shape that this code still reads; older records have to be restored by the code that wrote them. */
  readonly reads: number;
}

/**
 * This code's. Whoever changes the shape of the table's records raises `version`; `readableFrom` as well where the version before does
 * not understand the new records, and `reads` where this one does not understand the old ones.
 */
export const knownSchema: KnownSchema = { version: 1, readableFrom: 1, reads: 1 };

/** Shape of points from before they said which one it is. */
const first: RecordsSchema = { version: 1, readableFrom: 1 };

function refuse(code: string, message: string, details: Readonly<Record<string, unknown>>): EpsilonError {
  return new EpsilonError(code, message, { exitCode: exitCodes.conflict, details });
}

/**
 * Refuses a moment whose records this code does not understand. `points` are those on record, newest first; the last one that is not
 * after the moment says which shape the records had. Errors: `RESTORE_SCHEMA_OLDER` with both bounds, `RESTORE_SCHEMA_NEWER`.
 */
export function refuseForeignSchema(
  moment: string,
  newest: string,
  points: readonly Pick<PointRecord, 'id' | 'schema'>[],
  known: KnownSchema,
): void {
  const { version, readableFrom } = points.find(({ id }) => id <= moment)?.schema ?? first;
  if (version < known.reads) {
    const since = points.findLast(({ schema = first }) => schema.version >= known.reads)?.id;
    throw refuse(
      'RESTORE_SCHEMA_OLDER',
      `At ${moment} records had shape ${version}, and this version reads ${known.reads} and later: it can restore from ${since ?? 'no moment'} to ${newest}. Restore with the version of that time.`,
      { oldest: since, newest, version, reads: known.reads },
    );
  }
  if (readableFrom > known.version)
    throw refuse(
      'RESTORE_SCHEMA_NEWER',
      `At ${moment} records had shape ${version}, which versions that know ${readableFrom} understand, and this one knows ${known.version}: deploy the release that wrote them here first.`,
      { version, readableFrom, knows: known.version },
    );
}
