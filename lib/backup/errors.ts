import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';

/** `BACKUP_CORRUPT`: what is kept is not what was written. */
export function backupCorrupt(place: string, what: string): EpsilonError {
  return new EpsilonError('BACKUP_CORRUPT', `${place} ${what}; choose another point.`, {
    exitCode: exitCodes.backend,
    details: { place },
  });
}

/** Whether an error says that a point cannot be used, so that an older one may be. */
export function isPointFault(error: unknown): error is EpsilonError {
  return error instanceof EpsilonError && pointFaults.has(error.code);
}

const pointFaults: ReadonlySet<string> = new Set([
  'BACKUP_CORRUPT',
  'BACKUP_INCOMPLETE',
  'RESTORE_UNVERIFIED',
]);
