import type { Resources } from '../training/stages.ts';
import { stageNames, stages } from '../training/stages.ts';
import { type Bounds, type PlayedOut, playOut } from './play-out.ts';
import type { QueueName } from './queues.ts';
import { keptJobs, runsPerSecond } from './quotas.ts';
import type { RunPlan } from './run-plan.ts';

/** Longest that a job may be expected to wait behind others: half of the shortest stage's time limit, which includes waiting. */
export const longestWait = Math.min(...stageNames.map((stage) => stages[stage].timeoutSeconds)) / 2;

/** What each queue holds. */
export type Rooms = ReadonlyMap<QueueName, Resources>;

/** A list of runs played out in rooms, `fanOut` at a time, within every quota of the platform. */
export function play(
  plans: readonly RunPlan[],
  rooms: Rooms,
  fanOut: number,
  more: Pick<Bounds, 'unwatched'> = {},
): PlayedOut {
  return playOut(plans, {
    ...more,
    rooms,
    fanOut,
    secondsPerStart: (queue) => 1 / runsPerSecond(queue.split('/')[0] ?? ''),
    kept: (queue) => (queue.startsWith('eks/') ? keptJobs : undefined),
  });
}

/** Runs that end too late, most important first: 101 counts, one for each priority, from 100 down. */
export function missesOf(plans: readonly RunPlan[], { ends }: PlayedOut): number[] {
  const misses = Array.from({ length: 101 }, () => 0);
  for (const [at, { deadline, priority }] of plans.entries())
    if ((ends[at] ?? 0) > deadline) misses[100 - priority] = (misses[100 - priority] ?? 0) + 1;
  return misses;
}

/** What one way of going about a night comes to. */
export interface Judged {
  readonly misses: readonly number[];
  readonly endsAt: number;
}

/** Negative when the first is better: it misses fewer of higher priority, or the same and ends sooner by more than `clearly`. */
export function compare(a: Judged, b: Judged, clearly: number): number {
  for (const [at, missed] of a.misses.entries()) {
    const difference = missed - (b.misses[at] ?? 0);
    if (difference !== 0) return difference;
  }
  const [ours, theirs] = [a.endsAt * (1 + clearly), b.endsAt * (1 + clearly)];
  return ours < b.endsAt ? -1 : theirs < a.endsAt ? 1 : 0;
}
