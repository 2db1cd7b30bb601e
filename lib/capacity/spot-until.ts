import type { ServiceConfig } from '../config/service-config.ts';
import { playOut } from './play-out.ts';
import { type QueueName, roomOf } from './queues.ts';
import type { RunPlan } from './run-plan.ts';

/**
 * Reserve, in times of `training.placementSeconds`: one in which the stage that waits finds out that spot gives nothing (its later
 * stages then know), one for a start in a queue that fills, one for durations that were not as measured.
 */
const findsOut = 3;

/** The on-demand queue beside a queue. */
function fallbackOf(queue: QueueName): QueueName {
  return queue.startsWith('eks/') ? 'eks/on-demand' : 'batch/on-demand';
}

/**
 * Until when (milliseconds) each run's jobs may wait for spot capacity: the latest beginning with which, were there no spot any
 * more, all runs of the night would still end on time on on-demand capacity alone. That is the list played backwards from the
 * deadline; then a reserve is taken off.
 * Runs that forbid spot use their part of the room and have no such time, nor have those that on-demand could never place.
 */
export function latestStarts(
  plans: readonly RunPlan[],
  {
    config,
    now,
    fanOut,
  }: {
    readonly config: Pick<ServiceConfig, 'queueSize' | 'training'>;
    readonly now: number;
    readonly fanOut: number;
  },
): Map<string, number> {
  const remote = plans.filter(({ queue }) => !queue.startsWith('local/'));
  const backwards = remote
    .toReversed()
    .map((plan): RunPlan => ({ ...plan, queue: fallbackOf(plan.queue), phases: plan.phases.toReversed() }));
  const rooms = new Map(
    [...new Set(backwards.map(({ queue }) => queue))].flatMap((queue) => {
      const room = roomOf(config, queue);
      return room ? [[queue, room] as const] : [];
    }),
  );
  const { ends } = playOut(backwards, { rooms, fanOut, secondsPerStart: () => 0 });
  const margin = findsOut * config.training.placementSeconds;
  return new Map(
    backwards.flatMap(({ tenantId, deadline }, at) => {
      const end = ends[at] ?? Number.POSITIVE_INFINITY;
      const isSpot = remote[remote.length - 1 - at]?.queue.endsWith('/spot') === true;
      return isSpot && Number.isFinite(end)
        ? [[tenantId, now + Math.round((deadline - end - margin) * 1000)] as const]
        : [];
    }),
  );
}
