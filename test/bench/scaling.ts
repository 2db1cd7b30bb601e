import { hourly, longestHistory } from '../../lib/scaling/hourly-series.ts';
import { type Fleet, highestAhead, type Played, replay, specFleet } from '../../lib/scaling/replay.ts';
import { slotPeaks } from '../../lib/scaling/slots.ts';
import { floorsAfter, type PlanInput, type Worth, worthOf } from '../../lib/scaling/worth.ts';
import { generated, randomFrom, recordedTraces, type Trace } from './scaling-traces.ts';

const fleetWith = (nodeStartSeconds: number): Fleet => ({ ...specFleet, nodeStartSeconds });

const nodeStarts = [120, 300, 600] as const;

/** A spot node is taken about once in 110 hours; the fleet has three on average. */
const lossesPerMinute = (0.009 * 3) / 60 / 3;

const economy = { perReplica: 1, nodeHour: 0.0832 / 3, shortToIdle: 100 };

const shareOf = ({ shortMinutes, minutes }: Played) => shortMinutes / minutes;

/** The plan as it would have been made every hour of the played days; whether it is followed is asked once a day. */
function plannedFloors(trace: Trace, fleet: Fleet): { floors: Float64Array; worths: Worth[] } {
  const from = trace.demand.length - trace.played * 1440;
  const readings = [...trace.demand].map((value, minute) => ({ at: minute * 60_000, value }));
  const floors = new Float64Array(trace.played * 1440).fill(fleet.minReplicas);
  const worths: Worth[] = [];
  let engaged = false;
  for (let hour = 0; hour < trace.played * 24; hour += 1) {
    const minute = from + hour * 60;
    const known = readings.slice(Math.max(0, minute - longestHistory * 60), minute);
    const series = hourly(known, 'peak', minute * 60_000);
    const input: PlanInput = { readings: known, series, fleet, economy };
    if (hour % 24 === 0) {
      const worth = worthOf(input);
      engaged = worth?.engaged ?? false;
      if (worth) worths.push(worth);
    }
    if (!engaged) continue;
    for (const [slot, { replicas }] of floorsAfter(
      input,
      slotPeaks(known, series),
      series.values.length,
      3,
    ).entries())
      floors.fill(replicas, hour * 60 + slot * 10, Math.min(hour * 60 + slot * 10 + 10, (hour + 1) * 60));
  }
  return { floors, worths };
}

/** The cheapest HPA alone, of all minimums and five targets, that is short at most as often. */
function cheapestAlone(
  demand: Float64Array,
  fleet: Fleet,
  losses: readonly number[],
  shortMinutes: number,
): Record<string, unknown> | undefined {
  let best: { nodeMinutes: number; minReplicas: number; cpuTarget: number } | undefined;
  for (let minReplicas = fleet.minReplicas; minReplicas <= fleet.maxReplicas; minReplicas += 1)
    for (const cpuTarget of [0.7, 0.6, 0.5, 0.4, 0.3]) {
      const played = replay(demand, { ...fleet, minReplicas, cpuTarget }, { losses });
      if (
        played.shortMinutes > shortMinutes ||
        played.nodeMinutes >= (best?.nodeMinutes ?? Number.POSITIVE_INFINITY)
      )
        continue;
      best = { nodeMinutes: played.nodeMinutes, minReplicas, cpuTarget };
    }
  return best;
}

/** One trace in a fleet whose nodes take so long: four ways beside each other. */
function compare(trace: Trace, nodeStartSeconds: number): Record<string, unknown> {
  const fleet = fleetWith(nodeStartSeconds);
  const demand = trace.demand.subarray(trace.demand.length - trace.played * 1440);
  const random = randomFrom(7);
  const losses = [...demand.keys()].filter(() => random() < lossesPerMinute);
  const began = performance.now();
  const { floors, worths } = plannedFloors(trace, fleet);
  const msPerHour = (performance.now() - began) / (trace.played * 24);
  const lead = Math.ceil((nodeStartSeconds + fleet.podStartSeconds + fleet.upSeconds + 30) / 60) + 1;
  const alone = replay(demand, fleet, { losses });
  const clairvoyant = replay(demand, fleet, { losses, foreseen: highestAhead(demand, lead) });
  const planned = replay(demand, fleet, { losses, floorAt: (minute) => floors[minute] ?? 0 });
  const cheapest = cheapestAlone(demand, fleet, losses, planned.shortMinutes);
  const engagedDays = worths.filter(({ engaged }) => engaged).length;
  return {
    nodeStartMinutes: nodeStartSeconds / 60,
    shortPercent: {
      planned: 100 * shareOf(planned),
      clairvoyant: 100 * shareOf(clairvoyant),
      alone: 100 * shareOf(alone),
    },
    cost: {
      ofClairvoyant: planned.nodeMinutes / clairvoyant.nodeMinutes,
      ofAlone: planned.nodeMinutes / alone.nodeMinutes,
      ofCheapestAloneAsSeldomShort:
        cheapest === undefined ? 'none is' : planned.nodeMinutes / Number(cheapest['nodeMinutes']),
    },
    cheapest: cheapest && `at least ${cheapest['minReplicas']} replicas, target ${cheapest['cpuTarget']}`,
    spotLosses: losses.length,
    followed: `${engagedDays} of ${trace.played} days`,
    because: worths.at(-1)?.because ?? 'less than 8 days of history',
    msPerHour,
  };
}

const folderAsked = () => {
  const at = process.argv.indexOf('--nab');
  return at < 0 ? undefined : process.argv[at + 1];
};

/**
 * Request traces through a simulated HPA and node group: the plan beside the HPA alone, the same HPA with perfect foresight, and the cheapest
 * HPA alone that is as seldom short. Cost is node minutes. Recorded traces need `--nab FOLDER`.
 */
export async function benchScaling(): Promise<Record<string, unknown>> {
  const recordedOnes = recordedTraces(folderAsked());
  const traces = [...generated, ...(recordedOnes ?? [])];
  return {
    ...(recordedOnes ? {} : { 'recorded traces': 'not measured: needs --nab FOLDER (numenta/NAB, data)' }),
    ...Object.fromEntries(
      traces.map((trace) => [trace.name, nodeStarts.map((seconds) => compare(trace, seconds))]),
    ),
  };
}
