import { EpsilonError, exitCodes } from './epsilon-error.ts';

/** When a service cannot take something now and will later: a busy instance, a quota, too many copies at a time. */
export class ResourceBusy extends EpsilonError {
  override readonly name = 'ResourceBusy';
  constructor(reason: string, cause?: unknown) {
    super('RESOURCE_BUSY', reason, { exitCode: exitCodes.backend, retryable: true, cause });
  }
}

/** When something that was waited for is not there by its deadline. */
export class RecoveryOverdue extends EpsilonError {
  override readonly name = 'RecoveryOverdue';
  constructor(resource: string, deadline: string, because: string) {
    super('RECOVERY_OVERDUE', `${resource} was to be there by ${deadline}: ${because}.`, {
      exitCode: exitCodes.backend,
      details: { resource, deadline },
    });
  }
}

/** When something that was waited for ended and is of no use. */
export class RecoveryFailed extends EpsilonError {
  override readonly name = 'RecoveryFailed';
  constructor(because: string) {
    super('RECOVERY_FAILED', `${because}.`, { exitCode: exitCodes.backend });
  }
}
