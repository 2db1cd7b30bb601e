import type { Fleet } from './replay.ts';
import { type Slot, slotMs } from './slots.ts';

/** How far and how fast the plan may move the least number of replicas. */
export interface Rails {
  /** Replicas that one decision adds or removes at most. */
  readonly stepUp: number;
  readonly stepDown: number;
  /** Minutes after a raise in which nothing is lowered. */
  readonly cooldownMinutes: number;
}

/** The usual rails. */
export const usualRails: Rails = { stepUp: 8, stepDown: 4, cooldownMinutes: 20 };

/** The least number of replicas from one decision to the next. */
export interface Floor {
  /** When the slot begins, in milliseconds. */
  readonly at: number;
  readonly replicas: number;
}

/** Seconds from a raised minimum until its replicas are ready, with what nodes and pods need to start. */
function leadSeconds({ nodeStartSeconds, podStartSeconds }: Fleet): number {
  return nodeStartSeconds + podStartSeconds + 30;
}

/** The highest minimum that a plan may set: never the HPA's maximum, so that the HPA keeps room. */
export const highestFloor = ({ minReplicas, maxReplicas }: Fleet) => Math.max(minReplicas, maxReplicas - 1);

/** Part of its request that a replica is planned to use: a spot node may be lost, and load is uneven within a minute. */
const plannedUse = 0.9;

/**
 * The least replicas of each slot: what its own load and that of the slots needs which come before replicas ordered in it were ready; within
 * the bounds; raised earlier where one step is not enough, lowered by steps and not soon after a raise.
 */
export function floorsOf(
  slots: readonly Slot[],
  perReplica: number,
  fleet: Fleet,
  rails: Rails = usualRails,
): Floor[] {
  const least = fleet.minReplicas;
  const most = highestFloor(fleet);
  const needs = slots.map(({ load }) =>
    Math.min(most, Math.max(least, Math.ceil(load / (perReplica * plannedUse) - 1e-9))),
  );
  const lead = Math.ceil((1000 * leadSeconds(fleet)) / slotMs);
  const floors = needs.map((_, at) => Math.max(...needs.slice(at, at + lead + 1)));
  for (let at = floors.length - 2; at >= 0; at -= 1)
    floors[at] = Math.max(floors[at] ?? least, (floors[at + 1] ?? least) - rails.stepUp);
  const cooldown = Math.ceil((rails.cooldownMinutes * 60_000) / slotMs);
  let raisedAt = Number.NEGATIVE_INFINITY;
  for (let at = 1; at < floors.length; at += 1) {
    const before = floors[at - 1] ?? least;
    const now = floors[at] ?? least;
    if (now > before) raisedAt = at;
    else floors[at] = at - raisedAt < cooldown ? before : Math.max(now, before - rails.stepDown);
  }
  return slots.map(({ at }, index) => ({ at, replicas: floors[index] ?? least }));
}
