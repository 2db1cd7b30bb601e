import { EpsilonError, exitCodes } from './epsilon-error.ts';

/** Base of everything that can happen to a job; `name` is matched by Retry and Catch in statemachines/. */
class JobError extends EpsilonError {
  constructor(code: string, message: string, retryable: boolean, details?: Record<string, unknown>) {
    super(code, message, { exitCode: exitCodes.runFailed, retryable, ...(details ? { details } : {}) });
  }
}

/** When the job itself failed (its exit code says so): the user's retry budget pays. */
export class JobFailed extends JobError {
  override readonly name = 'JobFailed';
  constructor(message: string, details?: Record<string, unknown>) {
    super('JOB_FAILED', message, true, details);
  }
}

/** When the platform took the machine away: never spends the user's budget. */
export class JobPreempted extends JobError {
  override readonly name = 'JobPreempted';
  constructor(message: string, details?: Record<string, unknown>) {
    super('JOB_PREEMPTED', message, true, details);
  }
}

/** When a job that should exist cannot be found any more: the platform's fault. */
export class JobLost extends JobError {
  override readonly name = 'JobLost';
  constructor(message: string, details?: Record<string, unknown>) {
    super('JOB_LOST', message, true, details);
  }
}

/** When the job says its input is wrong (exit 64-78 except 75): trying again cannot help. */
export class JobRejected extends JobError {
  override readonly name = 'JobRejected';
  constructor(message: string, details?: Record<string, unknown>) {
    super('JOB_REJECTED', message, false, details);
  }
}
