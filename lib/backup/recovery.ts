import type { Attempt, Run } from '../training/run.ts';
import { terminalStatuses } from '../training/run.ts';

/** Error of everything that a restore ends. */
export const lostInRecovery = 'LostInRecovery';

/** Fences that one epoch may issue: far more than nights of all years, and still exact as a number for two million restores. */
const fencesOfEpoch = 2 ** 32;

/**
 * Number that every fence of an epoch is above. Whatever fences an earlier epoch issued after the restored point, those of a later
 * one are larger: what still holds one of them is refused.
 */
export function fenceFloor(epoch: number): number {
  return epoch * fencesOfEpoch;
}

/** Why something ended that was under way at the point. */
export function recoveryCause(point: string, takenAt: string): string {
  return `It was under way at ${takenAt}, the point ${point} that was restored; what became of it after that is not known.`;
}

/** An attempt of the restored point as it stands after the restore: none is open, none waits for a job, no token is left. */
export function attemptAfterRestore(attempt: Attempt, at: string, cause: string): Attempt {
  const { taskToken: _, strayJobId: __, ...kept } = attempt;
  if (attempt.settledAt !== undefined) return kept;
  if (terminalStatuses.has(attempt.status)) return { ...kept, settledAt: at };
  return { ...kept, status: 'lost', finishedAt: at, settledAt: at, error: 'JobLost', cause };
}

/** A run of the restored point as it stands after the restore: none is running. */
export function runAfterRestore(run: Run, at: string, cause: string): Run {
  if (run.status !== 'running') return run;
  return { ...run, status: 'aborted', finishedAt: at, error: lostInRecovery, cause };
}
