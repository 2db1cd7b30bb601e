import { EpsilonError, exitCodes } from './epsilon-error.ts';

/** When another release is under way. */
export class ReleaseUnderWay extends EpsilonError {
  override readonly name = 'ReleaseUnderWay';
  constructor(other: string) {
    super(
      'RELEASE_UNDER_WAY',
      `Release ${other} is under way; "epsilon release show ${other}" says where it is.`,
      { exitCode: exitCodes.conflict },
    );
  }
}

/** When an operator has asked for a rollback of the release. */
export class RollbackAsked extends EpsilonError {
  override readonly name = 'RollbackAsked';
  constructor(reason: string) {
    super('ROLLBACK_ASKED', reason, { exitCode: exitCodes.runFailed });
  }
}

/** Name of the failure of a task whose act failed, as the machine catches it. */
export const actFailed = 'ActFailed';
