import { type Attempt, terminalStatuses } from '../run.ts';
import { jobKinds } from '../stages.ts';

/** What EC2 says about a spot instance: that it will be taken away in two minutes, or that this has become more likely. */
export type SpotSignal = 'interruption' | 'rebalance';

/** Seconds of work that a hint may throw away: as many as the notice of a real interruption gives. */
const hintCostsAtMostSeconds = 120;

/** Why an attempt stays where it is. */
export type Staying = 'over' | 'on-demand' | 'moved-before' | 'too-much-to-lose';

function ageSeconds(attempt: Attempt, now: number): number {
  return (now - Date.parse(attempt.startedAt ?? attempt.submittedAt ?? attempt.intentAt)) / 1000;
}

/**
 * Whether an attempt leaves its instance now; the reason when it stays. A warning moves every job: its instance will be
 * gone. A rebalance recommendation is a hint that may never come true, so it moves a job only when that costs little (the
 * stage checkpoints, or the attempt is young) and at most once per stage: hints alone never bring a stage to on-demand.
 */
export function stayingBecause(
  attempt: Attempt,
  on: { readonly signal: SpotSignal; readonly siblings: readonly Attempt[]; readonly now: number },
): Staying | undefined {
  if (terminalStatuses.has(attempt.status)) return 'over';
  if (on.signal === 'interruption') return undefined;
  if (attempt.capacity === 'on-demand') return 'on-demand';
  const moved = on.siblings.some((one) => one.stage === attempt.stage && one.status === 'preempted');
  if (moved) return 'moved-before';
  if (jobKinds[attempt.stage].checkpoints || ageSeconds(attempt, on.now) <= hintCostsAtMostSeconds)
    return undefined;
  return 'too-much-to-lose';
}
