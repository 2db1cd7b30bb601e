import { EpsilonError } from '../errors/epsilon-error.ts';
import type { Reading } from './hourly-series.ts';

/** What the replicas of a service used together at a time. */
export interface Usage {
  /** Milliseconds since 1970, UTC. */
  readonly at: number;
  /** Cores of all replicas. */
  readonly cores: number;
  /** Replicas that were ready. */
  readonly ready: number;
  /** Replicas that the HPA wanted; absent where that is not measured. */
  readonly wanted?: number;
}

/** Load that a replica carries at 100 % of its request, as learned from use. */
export interface Learned {
  readonly perReplica: number;
  /** Standard error, from leaving out each day in turn. */
  readonly error: number;
  readonly readings: number;
  readonly days: number;
}

/** Milliseconds within which a load and a use are of one time. */
const sameTime = 300_000;
const dayMs = 86_400_000;

/** Fewest days and readings that are learned from, and the largest part of the result that its error may be. */
const enough = { days: 3, readings: 200, error: 0.25 } as const;

const slotOf = (at: number) => Math.floor(at / sameTime);

/**
 * Marks readings of times when more might have come: every replica that may be was there, or some that were wanted were not ready. What was
 * measured then is the least that the demand was.
 */
export function censored(
  readings: readonly Reading[],
  usage: readonly Usage[],
  maxReplicas: number,
): Reading[] {
  const bounded = new Set(
    usage
      .filter(({ ready, wanted = ready }) => ready >= maxReplicas || wanted > ready)
      .map(({ at }) => slotOf(at)),
  );
  return readings.map((reading) =>
    bounded.has(slotOf(reading.at)) ? { ...reading, censored: true } : reading,
  );
}

interface Sample {
  readonly day: number;
  readonly load: number;
  readonly cores: number;
  readonly ready: number;
}

function samplesOf(readings: readonly Reading[], usage: readonly Usage[], maxReplicas: number): Sample[] {
  const loads = new Map(
    censored(readings, usage, maxReplicas)
      .filter((reading) => !reading.censored && reading.value >= 0)
      .map(({ at, value }) => [slotOf(at), value]),
  );
  return usage.flatMap(({ at, cores, ready }) => {
    const load = loads.get(slotOf(at));
    if (load === undefined || !(cores >= 0 && ready > 0 && Number.isFinite(cores + ready))) return [];
    return [{ day: Math.floor(at / dayMs), load, cores, ready }];
  });
}

/** Sums of products that least squares of `cores = idle * ready + slope * load` need. */
class Products {
  rr = 0;
  rl = 0;
  ll = 0;
  rc = 0;
  lc = 0;

  add({ load, cores, ready }: Sample, sign: 1 | -1 = 1): void {
    this.rr += sign * ready * ready;
    this.rl += sign * ready * load;
    this.ll += sign * load * load;
    this.rc += sign * ready * cores;
    this.lc += sign * load * cores;
  }

  /** Load at which a replica uses its request; not a number where use does not tell. */
  perReplica(request: number): number {
    const determinant = this.rr * this.ll - this.rl * this.rl;
    const own = this.ll > 0 ? this.lc / this.ll : Number.NaN;
    // Replicas that go with the load exactly: what they use when idle cannot be told from what load makes them use.
    if (!(determinant > 1e-9 * this.rr * this.ll)) return request / own;
    const idle = (this.rc * this.ll - this.lc * this.rl) / determinant;
    const slope = (this.lc * this.rr - this.rc * this.rl) / determinant;
    return idle < 0 ? request / own : (request - idle) / slope;
  }
}

const refuse = (why: string) =>
  new EpsilonError('SCALING_NOT_LEARNED', `the load of a replica cannot be learned: ${why}`, { details: {} });

/**
 * The load that a replica carries at 100 % of its request (cores), from what all replicas used at which load: least squares over the times at
 * which nothing was bounded, its error from leaving out each day in turn. Error: `SCALING_NOT_LEARNED`.
 */
export function learnPerReplica(
  readings: readonly Reading[],
  usage: readonly Usage[],
  { requestCores, maxReplicas }: { readonly requestCores: number; readonly maxReplicas: number },
): Learned {
  const samples = samplesOf(readings, usage, maxReplicas);
  const byDay = Map.groupBy(samples, ({ day }) => day);
  const days = byDay.size;
  if (samples.length < enough.readings || days < enough.days)
    throw refuse(
      `${samples.length} times of ${days} days with load and use, at least ${enough.readings} of ${enough.days} are needed`,
    );
  const all = new Products();
  for (const sample of samples) all.add(sample);
  const perReplica = all.perReplica(requestCores);
  if (!(perReplica > 0 && Number.isFinite(perReplica)))
    throw refuse('use does not rise with the load, or idle replicas use their whole request');
  const without = [...byDay.values()].map((own) => {
    for (const sample of own) all.add(sample, -1);
    const found = all.perReplica(requestCores);
    for (const sample of own) all.add(sample);
    return found;
  });
  const error = Math.sqrt(
    ((days - 1) / days) * without.reduce((sum, one) => sum + (one - perReplica) ** 2, 0),
  );
  if (!(error <= enough.error * perReplica))
    throw refuse(`${perReplica.toPrecision(3)} with an error of ${error.toPrecision(2)} is too uncertain`);
  return { perReplica, error, readings: samples.length, days };
}

/** What is planned with: two standard errors below what was learned. */
export const carefully = ({ perReplica, error }: Learned) => Math.max(perReplica / 2, perReplica - 2 * error);
