import { EpsilonError, exitCodes } from './epsilon-error.ts';

/** When a conditional write finds the record in another state than the writer believed. */
export class ConditionFailed extends EpsilonError {
  override readonly name = 'ConditionFailed';
  constructor(what: string, details?: Record<string, unknown>) {
    super('CONDITION_FAILED', `Refused: ${what}.`, {
      exitCode: exitCodes.conflict,
      ...(details ? { details } : {}),
    });
  }
}

/** When a record or object that must exist does not. */
export class NotFound extends EpsilonError {
  override readonly name = 'NotFound';
  constructor(code: string, message: string, details?: Record<string, unknown>) {
    super(code, message, { exitCode: exitCodes.badInput, ...(details ? { details } : {}) });
  }
}
