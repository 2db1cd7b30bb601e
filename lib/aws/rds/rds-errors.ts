import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { ResourceBusy } from '../../errors/recovery-errors.ts';
import { NotFound } from '../../errors/store-errors.ts';
import { errorName } from '../errors/service-errors.ts';

/** Refusals that end by themselves. */
const busy: ReadonlySet<string> = new Set([
  'InstanceQuotaExceededFault',
  'InsufficientDBInstanceCapacityFault',
  'InvalidDBInstanceAutomatedBackupStateFault',
  'InvalidDBInstanceStateFault',
  'InvalidDBSnapshotStateFault',
  'SnapshotQuotaExceededFault',
  'StorageQuotaExceededFault',
]);

/** What is named and is not in this region. */
const missing: ReadonlySet<string> = new Set([
  'DBParameterGroupNotFoundFault',
  'DBSubnetGroupNotFoundFault',
  'InvalidSubnet',
  'InvalidVPCNetworkStateFault',
  'KMSKeyNotAccessibleFault',
]);

/** What is said of a key that a copy cannot use. */
function keyUnusable(what: string, error: unknown): EpsilonError {
  return new EpsilonError(
    'KMS_KEY_UNUSABLE',
    `${what}: the key cannot be used: ${(error as Error).message}`,
    {
      exitCode: exitCodes.backend,
      cause: error,
    },
  );
}

/** Turns what RDS refuses into Epsilon's errors; `what` is what was asked, for people. */
export function explainRdsError(error: unknown, what: string): unknown {
  const name = errorName(error);
  const { message } = error as Error;
  if (busy.has(name)) return new ResourceBusy(`${what}: ${message} (${name})`, error);
  if (name === 'DBInstanceNotFoundFault')
    return new NotFound('DATABASE_NOT_FOUND', `${what}: there is no such database.`);
  if (name === 'KMSKeyNotAccessibleFault' && !what.startsWith('restore')) return keyUnusable(what, error);
  if (missing.has(name))
    return new EpsilonError('RESTORE_SETTING_MISSING', `${what}: ${message} (${name})`, {
      exitCode: exitCodes.backend,
      cause: error,
    });
  if (name === 'DBInstanceAlreadyExistsFault')
    return new EpsilonError('RESTORE_TARGET_NOT_EMPTY', `${what}: there is a database of that name.`, {
      exitCode: exitCodes.conflict,
      cause: error,
    });
  if (
    name === 'PointInTimeRestoreNotEnabledFault' ||
    (name === 'InvalidParameterValue' && /time/i.test(message))
  )
    return new EpsilonError('RESTORE_POINT_OUT_OF_RANGE', `${what}: ${message}`, { cause: error });
  return error;
}
