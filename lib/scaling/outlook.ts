import type { ScalingPlan, ScalingSettings } from './decide.ts';
import type { Floor } from './floors.ts';
import { type Played, replay } from './replay.ts';
import { slotMs, slotPeaks, slotsAhead } from './slots.ts';

/** The coming hours as they are expected, played with the HPA alone and with the floors. */
export interface Outlook {
  readonly alone: Played;
  readonly planned: Played;
  /** US dollars of nodes. */
  readonly aloneCosts: number;
  readonly plannedCosts: number;
}

/** Minutes of a slot. */
const slotMinutes = slotMs / 60_000;

/** Plays the forecast itself, slot by slot. What comes instead lies in its intervals. */
export function outlookOf(
  { told, series, floors }: ScalingPlan,
  readings: Parameters<typeof slotPeaks>[0],
  { fleet, economy }: ScalingSettings,
): Outlook {
  const slots = slotsAhead(told, slotPeaks(readings, series), series, 0);
  const demand = Float64Array.from(
    { length: slots.length * slotMinutes },
    (_, minute) => (slots[Math.floor(minute / slotMinutes)]?.load ?? 0) / economy.perReplica,
  );
  const alone = replay(demand, fleet);
  const planned = replay(demand, fleet, {
    floorAt: (minute) => floors[Math.floor(minute / slotMinutes)]?.replicas ?? 0,
  });
  const dollars = ({ nodeMinutes }: Played) => (nodeMinutes / 60) * economy.nodeHour;
  return { alone, planned, aloneCosts: dollars(alone), plannedCosts: dollars(planned) };
}

/** Slots with the same floor, together. */
export interface FloorSpan {
  /** Milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly replicas: number;
}

/** Floors, one entry for each time that they change. */
export function spansOf(floors: readonly Floor[]): FloorSpan[] {
  const spans: { from: number; until: number; replicas: number }[] = [];
  for (const { at, replicas } of floors) {
    const last = spans.at(-1);
    if (last && last.replicas === replicas) last.until = at + slotMs;
    else spans.push({ from: at, until: at + slotMs, replicas });
  }
  return spans;
}
