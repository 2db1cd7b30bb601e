import { type Attempt, terminalStatuses } from '../run.ts';
import type { JobObservation } from './job.ts';

/** What an entry of a stage has to do, decided from the stage's newest attempt. */
export type SubmissionStep =
  | { readonly kind: 'new-attempt'; readonly attempt: number }
  | { readonly kind: 'look-up'; readonly attempt: Attempt }
  | { readonly kind: 'settle'; readonly attempt: Attempt }
  | { readonly kind: 'answered' }
  | { readonly kind: 'superseded' };

/** An entry of a stage, by what tells it from other entries. */
export interface EntryMark {
  readonly tokenDigest: string;
  /** Of the execution. */
  readonly redriveCount: number;
  /** Of the state, in this try of the execution. */
  readonly retryCount: number;
}

/** Whether a later entry than this one has put its token on an attempt: the caller of this one waits no more. */
function hasLaterEntry(attempt: Attempt, { redriveCount, retryCount }: EntryMark): boolean {
  if (attempt.redriveCount !== redriveCount) return attempt.redriveCount > redriveCount;
  return (attempt.retryCount ?? 0) > retryCount;
}

/**
 * First half of a stage's entry: what the record alone says.
 * Attempt numbers advance only here, and only when the newest attempt is over and its outcome was answered to the state machine.
 */
export function nextStep(latest: Attempt | undefined, entry: EntryMark): SubmissionStep {
  if (!latest) return { kind: 'new-attempt', attempt: 1 };
  if (hasLaterEntry(latest, entry)) return { kind: 'superseded' };
  if (!terminalStatuses.has(latest.status)) return { kind: 'look-up', attempt: latest };
  // Nothing waits for the answer of one that was given up: it is open for its job's sake.
  if (latest.settledAt === undefined && latest.abandonedAt === undefined)
    return { kind: 'settle', attempt: latest };
  // The same token again is a repeated invocation of an entry that has been answered, not a new try.
  if (latest.tokenDigest === entry.tokenDigest) return { kind: 'answered' };
  if (latest.status === 'succeeded') return { kind: 'settle', attempt: latest };
  return { kind: 'new-attempt', attempt: latest.attempt + 1 };
}

/** What to do with an open attempt once its backend has been asked. */
export type OpenAttemptStep = 'adopt' | 'submit' | 'finish' | 'lost';

/** Second half: the backend's answer decides between adopting, submitting under the same name, finishing and declaring lost. */
export function stepForOpenAttempt(attempt: Attempt, observed: JobObservation | undefined): OpenAttemptStep {
  if (observed) return observed.state === 'pending' || observed.state === 'running' ? 'adopt' : 'finish';
  return attempt.status === 'intent' ? 'submit' : 'lost';
}
