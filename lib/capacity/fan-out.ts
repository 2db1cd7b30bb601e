import type { Resources } from '../training/stages.ts';
import type { QueueName } from './queues.ts';
import { mostChildExecutions } from './quotas.ts';
import { meanRequest, type RunPlan } from './run-plan.ts';

/** What a queue holds, and what a night's runs ask of it. */
interface Load {
  readonly queue: QueueName;
  /** Runs that fill the queue, by what they ask for on average over their length. */
  readonly fits: number;
  /** Seconds that the queue needs for all its runs, were it never idle. */
  readonly seconds: number;
}

/** Loads of the queues whose size is known, the one that needs longest first. */
export function loadsOf(plans: readonly RunPlan[], rooms: ReadonlyMap<QueueName, Resources>): Load[] {
  const loads = [...Map.groupBy(plans, ({ queue }) => queue)].flatMap(([queue, runs]): Load[] => {
    const room = rooms.get(queue);
    if (!room) return [];
    const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
    const work = (of: (mean: Resources) => number) =>
      runs.reduce((sum, run) => sum + of(meanRequest(run)) * run.seconds, 0);
    const needs = Math.max(
      work(({ cpu }) => cpu) / room.cpu,
      work(({ memoryMiB }) => memoryMiB) / room.memoryMiB,
    );
    return [{ queue, seconds: needs, fits: needs === 0 ? runs.length : seconds / needs }];
  });
  return loads.sort((a, b) => b.seconds - a.seconds);
}

/**
 * Parts of what fills the queues on average. Fewer: nobody waits, and of a night that does not fit more are on time. More: runs
 * ask for little at their beginning and at their end, others fill what is left.
 */
const margins = [0.8, 0.9, 1, 1.1, 1.25, 1.5, 2];

/** A number of runs at a time, and what keeps it from being larger: a queue, `setting`, `quota` or `tenants`. */
export interface FanOut {
  readonly maxConcurrency: number;
  readonly limitedBy: string;
}

/**
 * Numbers of runs at a time that are worth a forecast, least first: around what fills all queues on average. One, the setting,
 * where a queue of unknown size is used. Never more than the setting, the tenants or a Map's quota.
 */
export function fanOutsOf(
  plans: readonly RunPlan[],
  rooms: ReadonlyMap<QueueName, Resources>,
  setting: number,
): FanOut[] {
  const bounds: FanOut[] = [
    { maxConcurrency: setting, limitedBy: 'setting' },
    { maxConcurrency: mostChildExecutions, limitedBy: 'quota' },
  ];
  const least = (all: readonly FanOut[]): FanOut =>
    all.reduce((found, one) => (one.maxConcurrency < found.maxConcurrency ? one : found));
  if (plans.length === 0 || plans.some(({ queue }) => !rooms.has(queue))) return [least(bounds)];
  bounds.push({ maxConcurrency: plans.length, limitedBy: 'tenants' });
  const loads = loadsOf(plans, rooms);
  const filling = loads.reduce((sum, { fits }) => sum + fits, 0);
  const limitedBy = loads[0]?.queue ?? 'setting';
  const found = margins.map((margin) =>
    least([...bounds, { maxConcurrency: Math.max(1, Math.round(filling * margin)), limitedBy }]),
  );
  return found.filter(({ maxConcurrency }, at) => maxConcurrency !== found[at - 1]?.maxConcurrency);
}
