import { EpsilonError } from '../errors/epsilon-error.ts';
import { type Floor, floorsOf, highestFloor, type Rails, usualRails } from './floors.ts';
import { type Forecast, forecast } from './forecast.ts';
import { type HourlySeries, hourly, type Reading } from './hourly-series.ts';
import type { Fleet } from './replay.ts';
import { slotMs, slotPeaks, slotsAhead } from './slots.ts';
import { carefully, censored, type Learned, learnPerReplica, type Usage } from './usage.ts';
import { deviationsFor, type Economy, type Worth, worthOf } from './worth.ts';

/** What an operator set instead of the plan; instants are ISO 8601. */
export interface CapacityOverride {
  readonly minReplicas: number;
  readonly reason: string;
  readonly decidedAt: string;
  readonly expiresAt: string;
}

/** What is known when a decision is made. */
export interface Situation {
  readonly now: number;
  readonly readings: readonly Reading[];
  /** What replicas used at the same times, where that is measured. */
  readonly usage?: readonly Usage[];
  /** The HPA's minimum as it is. */
  readonly minReplicas: number;
  /** When a decision last raised it, in milliseconds. */
  readonly raisedAt?: number;
  readonly override?: Pick<CapacityOverride, 'minReplicas' | 'reason' | 'expiresAt'>;
  /** Quiet hours, with their least replicas: own raises are withdrawn. */
  readonly quiet?: { readonly minReplicas: number };
}

/** What does not change from one decision to the next. */
export interface ScalingSettings {
  readonly fleet: Fleet;
  readonly economy: Economy;
  readonly rails?: Rails;
  /** The load of a replica is learned from use: cores that it asks for. */
  readonly learn?: { readonly requestCores: number };
}

/** One decision about the least number of replicas. */
export interface ScalingDecision {
  /** hold: nothing is known that a decision could be made from; what was set expires by itself. */
  readonly action: 'raise' | 'lower' | 'keep' | 'hold';
  readonly minReplicas: number;
  /** When a raise ends unless a later decision renews it, in milliseconds. */
  readonly expiresAt: number;
  readonly because: string;
  /** People are to be told: metrics are missing or unusable. */
  readonly alert: boolean;
}

/** A plan for the coming hours. */
export interface ScalingPlan {
  readonly series: HourlySeries;
  readonly told: Forecast;
  /** What the last days say of the plan; absent with too few days. */
  readonly worth?: Worth;
  /** Least replicas by slot; those of the fleet where the plan is not followed. */
  readonly floors: readonly Floor[];
  /** The same if it were followed. */
  readonly wouldBe: readonly Floor[];
}

/** Milliseconds after which a reading says nothing about now, and for which a raise lives. */
const staleMs = 3 * slotMs;
const raiseMs = 3 * slotMs;

/** Refuses bounds that contradict each other. Error: SCALING_BOUNDS. */
function checkFleet({ minReplicas, maxReplicas, minNodes, maxNodes }: Fleet): void {
  const refuse = (what: string, least: number, most: number) =>
    new EpsilonError(
      'SCALING_BOUNDS',
      `the least number of ${what} (${least}) has to be at least 1 and at most the largest (${most})`,
      {
        details: { least, most },
      },
    );
  if (!(minReplicas >= 1 && minReplicas <= maxReplicas)) throw refuse('replicas', minReplicas, maxReplicas);
  if (!(minNodes >= 1 && minNodes <= maxNodes)) throw refuse('nodes', minNodes, maxNodes);
}

/** Forecast, worth and floors of the coming hours. Errors: those of `hourly`, SCALING_BOUNDS. */
export function planScaling(
  readings: readonly Reading[],
  { fleet, economy, rails = usualRails }: ScalingSettings,
  now?: number,
): ScalingPlan {
  checkFleet(fleet);
  const series = hourly(readings, 'peak', now);
  const told = forecast(series);
  const worth = worthOf({ readings, series, fleet, economy, rails });
  const slots = slotsAhead(told, slotPeaks(readings, series), series, deviationsFor(economy.shortToIdle));
  const wouldBe = floorsOf(slots, economy.perReplica, fleet, rails);
  const floors = worth?.engaged ? wouldBe : wouldBe.map(({ at }) => ({ at, replicas: fleet.minReplicas }));
  return { series, told, ...(worth ? { worth } : {}), floors, wouldBe };
}

/** What a replica carries, as a sentence. */
export const learnedText = ({ perReplica, error, days }: Learned) =>
  `a replica carries ${Number(perReplica.toPrecision(3))} (error ${Number(error.toPrecision(2))}, learned from ${days} days)`;

/** Settings with what a replica carries, learned where they do not say it. Error: SCALING_NOT_LEARNED. */
export function learnedSettings(
  settings: ScalingSettings,
  readings: readonly Reading[],
  usage: readonly Usage[],
): { readonly settings: ScalingSettings; readonly learned?: Learned } {
  const { learn, economy, fleet } = settings;
  if (!learn) return { settings };
  const learned = learnPerReplica(readings, usage, { ...learn, maxReplicas: fleet.maxReplicas });
  return { learned, settings: { ...settings, economy: { ...economy, perReplica: carefully(learned) } } };
}

const minutes = (ms: number) => `${Math.round(ms / 60_000)} minutes`;

/** The plan's floor of this moment, with the reason. */
function wanted(
  { now, readings, usage = [] }: Situation,
  given: ScalingSettings,
): { replicas: number; because: string } {
  const { settings, learned } = learnedSettings(given, readings, usage);
  const { floors, worth, told } = planScaling(
    censored(readings, usage, settings.fleet.maxReplicas),
    settings,
    now,
  );
  const slot = floors.findLast(({ at }) => at <= now) ?? floors[0];
  const replicas = slot?.replicas ?? settings.fleet.minReplicas;
  const carries = learned ? `; ${learnedText(learned)}` : '';
  if (!worth)
    return { replicas, because: `${told.basis}; a plan needs 8 days to know whether it pays${carries}` };
  return { replicas, because: `over the last ${worth.days} days ${worth.because}${carries}` };
}

/** What is set now, between what is and what is wanted: a step at most, and nothing lowered soon after a raise. */
function step(situation: Situation, target: number, rails: Rails): { replicas: number; why: string } {
  const { minReplicas: current, now, raisedAt = Number.NEGATIVE_INFINITY } = situation;
  if (target > current + rails.stepUp)
    return { replicas: current + rails.stepUp, why: ` (a step of ${rails.stepUp} at most)` };
  if (target >= current) return { replicas: target, why: '' };
  const left = raisedAt + rails.cooldownMinutes * 60_000 - now;
  if (left > 0)
    return { replicas: current, why: ` (lowered at the earliest in ${minutes(left)}, after the last raise)` };
  if (target < current - rails.stepDown)
    return { replicas: current - rails.stepDown, why: ` (a step of ${rails.stepDown} at most)` };
  return { replicas: target, why: '' };
}

/** The newest reading that can be used. */
const newest = (readings: readonly Reading[], now: number) =>
  readings.reduce(
    (last, { at, value }) => (Number.isFinite(value) && at <= now && at > last ? at : last),
    Number.NEGATIVE_INFINITY,
  );

/** Why nothing is decided, if so. */
function heldBecause({ now, readings }: Situation): string | undefined {
  const last = newest(readings, now);
  if (last === Number.NEGATIVE_INFINITY) return 'no metrics: nothing is decided, and raises expire';
  if (now - last > staleMs)
    return `the newest metric is ${minutes(now - last)} old: nothing is decided, and raises expire`;
  return undefined;
}

/**
 * The least number of replicas from now until the next decision. Never below the fleet's minimum, never up to its maximum; holds with an
 * alert where metrics are missing, stale or unusable. Error: SCALING_BOUNDS.
 */
export function decideScaling(situation: Situation, settings: ScalingSettings): ScalingDecision {
  const { fleet, rails = usualRails } = settings;
  checkFleet(fleet);
  const { now, override } = situation;
  const within = (replicas: number) =>
    Math.min(highestFloor(fleet), Math.max(fleet.minReplicas, Math.round(replicas)));
  const current = within(situation.minReplicas);
  const decision = (replicas: number, because: string, expiresAt = now + raiseMs): ScalingDecision => ({
    action: replicas > situation.minReplicas ? 'raise' : replicas < situation.minReplicas ? 'lower' : 'keep',
    minReplicas: replicas,
    expiresAt,
    because,
    alert: false,
  });
  const hold = (because: string): ScalingDecision => ({
    action: 'hold',
    minReplicas: current,
    expiresAt: now + raiseMs,
    because,
    alert: true,
  });
  const ends = override ? Date.parse(override.expiresAt) : Number.NaN;
  if (override && ends > now)
    // Renewed like every raise, so that it also ends by itself where nothing decides any more.
    return decision(
      within(override.minReplicas),
      `set by an operator: ${override.reason}`,
      Math.min(ends, now + raiseMs),
    );
  if (situation.quiet) return decision(situation.quiet.minReplicas, 'quiet hours: own raises are withdrawn');
  const held = heldBecause(situation);
  if (held !== undefined) return hold(held);
  try {
    const { replicas, because } = wanted(situation, settings);
    const next = step({ ...situation, minReplicas: current }, within(replicas), rails);
    return decision(next.replicas, `${because}${next.why}`);
  } catch (error) {
    if (error instanceof EpsilonError && error.code.startsWith('SCALING_') && error.code !== 'SCALING_BOUNDS')
      return hold(`${error.message}: nothing is decided, and raises expire`);
    throw error;
  }
}
