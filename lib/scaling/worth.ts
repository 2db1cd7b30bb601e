import { type Floor, floorsOf, type Rails, usualRails } from './floors.ts';
import { forecast } from './forecast.ts';
import { type HourlySeries, hourMs, type Reading } from './hourly-series.ts';
import { type Fleet, type Played, replay } from './replay.ts';
import { slotMs, slotPeaks, slotsAhead } from './slots.ts';

/** What load, replicas and their absence mean; prices in US dollars. */
export interface Economy {
  /** Load that one replica carries at 100 % of its request. */
  readonly perReplica: number;
  readonly nodeHour: number;
  /** So many idle replica hours cost as much as one replica hour of demand that is not covered. */
  readonly shortToIdle: number;
}

/** What the last days would have been with the HPA alone, with the plan, and with one minimum all the time. */
export interface Worth {
  readonly days: number;
  readonly alone: Played;
  readonly planned: Played;
  /** The lowest minimum with which the HPA alone would have been as seldom short as with the plan; absent when none would. */
  readonly still?: { readonly minReplicas: number; readonly played: Played };
  readonly engaged: boolean;
  /** Why the plan is followed or not, a sentence. */
  readonly because: string;
}

/** Hours before the days that are played, and the most days played. */
const learnHours = 7 * 24;
const mostDays = 7;

/** Hours between two forecasts of a played day, and what each forecast looks ahead beyond that. */
const between = 6;
const beyond = 2;

/** Part of the minutes in which a service may be short. */
const shortTarget = 0.001;

const hoursBefore = (series: HourlySeries, hours: number): HourlySeries => ({
  ...series,
  values: series.values.subarray(0, hours),
  measured: series.measured.subarray(0, hours),
});

/** Demand by the minute, in replicas, between two instants: the last reading counts until the next. */
function demandOf(
  readings: readonly Reading[],
  from: number,
  until: number,
  perReplica: number,
): Float64Array {
  const demand = new Float64Array(Math.max(0, Math.round((until - from) / 60_000)));
  const ordered = readings
    .filter(({ at, value }) => at < until && Number.isFinite(value) && value >= 0)
    .sort((one, other) => one.at - other.at);
  let next = 0;
  let load = 0;
  for (let minute = 0; minute < demand.length; minute += 1) {
    const end = from + (minute + 1) * 60_000;
    for (let first = true; (ordered[next]?.at ?? end) < end; next += 1, first = false) {
      const value = ordered[next]?.value ?? 0;
      load = first ? value : Math.max(load, value);
    }
    demand[minute] = load / perReplica;
  }
  return demand;
}

/** Standard deviations above the forecast at which idling costs as much as being short. */
export function deviationsFor(shortToIdle: number): number {
  const share = Math.min(0.995, Math.max(0.5, 1 - 1 / (1 + shortToIdle)));
  // Tail of the normal distribution, after Abramowitz and Stegun 26.2.23.
  const t = Math.sqrt(-2 * Math.log(1 - share));
  return Math.max(
    0,
    t -
      (2.515517 + 0.802853 * t + 0.010328 * t * t) /
        (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t),
  );
}

/** What a plan is made from. */
export interface PlanInput {
  readonly readings: readonly Reading[];
  /** Peaks by the hour of the same readings. */
  readonly series: HourlySeries;
  readonly fleet: Fleet;
  readonly economy: Economy;
  readonly rails?: Rails;
}

/** Floors from the hours that are known after `hours` of a series, for so many hours ahead. */
export function floorsAfter(
  { series, fleet, economy, rails = usualRails }: Omit<PlanInput, 'readings'>,
  peaks: Float64Array,
  hours: number,
  ahead: number,
): Floor[] {
  const known = hoursBefore(series, hours);
  const slots = slotsAhead(forecast(known, ahead), peaks, known, deviationsFor(economy.shortToIdle));
  return floorsOf(slots, economy.perReplica, fleet, rails);
}

/** Floors as they would have been decided during the last hours of a series, by the minute. */
function pastFloors(input: PlanInput, firstHour: number): (minute: number) => number {
  const { series, readings } = input;
  const peaks = slotPeaks(readings, series);
  const floors: number[] = [];
  for (let hour = firstHour; hour < series.values.length; hour += between)
    floors.push(
      ...floorsAfter(input, peaks, hour, between + beyond)
        .slice(0, (between * hourMs) / slotMs)
        .map(({ replicas }) => replicas),
    );
  return (minute) => floors[Math.floor((minute * 60_000) / slotMs)] ?? 0;
}

/** The lowest minimum that is short in at most so many minutes, by halving. */
function stillMinimum(demand: Float64Array, fleet: Fleet, shortMinutes: number): Worth['still'] {
  let found: Worth['still'];
  let low = fleet.minReplicas;
  let high = fleet.maxReplicas;
  while (low <= high) {
    const minReplicas = (low + high) >> 1;
    const played = replay(demand, { ...fleet, minReplicas });
    if (played.shortMinutes <= shortMinutes) {
      found = { minReplicas, played };
      high = minReplicas - 1;
    } else low = minReplicas + 1;
  }
  return found;
}

const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
const shareOf = ({ shortMinutes, minutes }: Played) => shortMinutes / Math.max(1, minutes);

/** Whether the plan pays, and why. */
function judged(
  alone: Played,
  planned: Played,
  still: Worth['still'],
  { fleet, economy }: PlanInput,
): Pick<Worth, 'engaged' | 'because'> {
  const was = `the HPA alone was short in ${percent(shareOf(alone))} of the minutes`;
  const would = `${percent(shareOf(planned))} with the plan`;
  const no = (because: string) => ({ engaged: false, because });
  if (shareOf(alone) <= shortTarget) return no(`${was}: nothing to plan for`);
  if (planned.shortMinutes > alone.shortMinutes / 2)
    return no(`${was}, and would have been in ${would}: what came could not be foreseen`);
  const idlePrice = economy.nodeHour / fleet.podsPerNode;
  const gained =
    ((alone.shortReplicaMinutes - planned.shortReplicaMinutes) / 60) * idlePrice * economy.shortToIdle;
  const paid = ((planned.nodeMinutes - alone.nodeMinutes) / 60) * economy.nodeHour;
  if (paid > gained)
    return no(
      `${was}, ${would}: the plan would have cost $${paid.toFixed(2)} and saved $${gained.toFixed(2)}`,
    );
  if (still && still.played.nodeMinutes <= planned.nodeMinutes)
    return no(
      `${was}, ${would}: a minimum of ${still.minReplicas} replicas all the time would have cost less than the plan`,
    );
  return { engaged: true, because: `${was}, ${would}` };
}

/**
 * Plays the last days again, with the HPA alone and with the plan as it would have been made then. A plan is followed only where the HPA
 * alone was short too often, the plan would have helped, and nothing simpler had been cheaper. Undefined below 8 days of history.
 */
export function worthOf(input: PlanInput): Worth | undefined {
  const { series, readings, fleet, economy } = input;
  const days = Math.min(mostDays, Math.floor((series.values.length - learnHours) / 24));
  if (days < 1) return undefined;
  const firstHour = series.values.length - 24 * days;
  const from = series.startsAt + firstHour * hourMs;
  const until = series.startsAt + series.values.length * hourMs;
  const demand = demandOf(readings, from, until, economy.perReplica);
  const alone = replay(demand, fleet);
  if (shareOf(alone) <= shortTarget)
    return { days, alone, planned: alone, ...judged(alone, alone, undefined, input) };
  const planned = replay(demand, fleet, { floorAt: pastFloors(input, firstHour) });
  const still = stillMinimum(demand, fleet, planned.shortMinutes);
  return { days, alone, planned, ...(still ? { still } : {}), ...judged(alone, planned, still, input) };
}
