import type { AttemptStatus } from '../run.ts';

/** What is needed of a finished job to classify it. */
export interface FinishedJob {
  readonly state: 'succeeded' | 'failed';
  readonly reason?: string;
  readonly exitCode?: number;
  readonly message?: string;
  readonly resultFault?: string;
  readonly result?: Readonly<Record<string, unknown>>;
}

/** A finished job in the terms of the state machine: terminal status and, unless it succeeded, error name and cause. */
export interface JobOutcome {
  readonly status: Extract<
    AttemptStatus,
    'succeeded' | 'failed' | 'rejected' | 'preempted' | 'lost' | 'cancelled'
  >;
  readonly error?:
    | 'JobFailed'
    | 'JobRejected'
    | 'JobPreempted'
    | 'JobLost'
    | 'JobCancelled'
    | 'JobCannotStart';
  readonly cause?: string;
}

/** The job contract: 64-78 say "the input is wrong", except 75 which says "try again" (sysexits EX_TEMPFAIL). */
function isRejection(exitCode: number | undefined): boolean {
  return exitCode !== undefined && exitCode >= 64 && exitCode <= 78 && exitCode !== 75;
}

function describe(job: FinishedJob): string {
  const reported = job.result?.['error'];
  const own =
    typeof reported === 'object' && reported !== null && 'message' in reported
      ? String(reported.message)
      : undefined;
  const code =
    typeof reported === 'object' && reported !== null && 'code' in reported
      ? `${String(reported.code)}: `
      : '';
  const ended = job.exitCode === undefined ? 'ended' : `exited with ${job.exitCode}`;
  return own ? `${code}${own}` : (job.message ?? `The job ${ended}.`);
}

/** Classifies a finished job; the error names are the contract with statemachines/. */
export function outcomeOfJob(job: FinishedJob): JobOutcome {
  if (job.state === 'succeeded')
    return job.resultFault === undefined
      ? { status: 'succeeded' }
      : { status: 'rejected', error: 'JobRejected', cause: job.resultFault };
  const cause = describe(job);
  switch (job.reason) {
    case 'preempted':
    case 'unplaceable':
      return { status: 'preempted', error: 'JobPreempted', cause };
    case 'lost':
      return { status: 'lost', error: 'JobLost', cause };
    case 'cancelled':
      return { status: 'cancelled', error: 'JobCancelled', cause };
    case 'unstartable':
      return { status: 'failed', error: 'JobCannotStart', cause };
    default:
      return isRejection(job.exitCode)
        ? { status: 'rejected', error: 'JobRejected', cause }
        : { status: 'failed', error: 'JobFailed', cause };
  }
}
