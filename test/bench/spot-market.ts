import type { Random } from '../../lib/ports/random.ts';
import { type StageName, stages } from '../../lib/training/stages.ts';
import { seededRandom } from '../../local/clock/seeded-random.ts';

/** All times here are milliseconds since the night began. */
export const minute = 60_000;
export const hour = 3_600_000;

/** Longest time the market is known for. */
const horizon = 48 * hour;

/** What spot capacity is like in one scenario. */
export interface MarketSettings {
  /** Expected reclaims of a job that runs on spot for an hour. */
  readonly perHour: number;
  /** Share of reclaims that come with two minutes' notice. */
  readonly withNotice: number;
  /** Share of the time in which no new spot capacity is given. */
  readonly droughtShare: number;
  /** Further droughts at fixed times, in hours of the night. */
  readonly droughts?: readonly (readonly [from: number, to: number])[];
  /** Reclaims that come together, in hours of the night: a zone (0 to 2), a share of all nodes, or everything. */
  readonly storms?: readonly ({ readonly at: number } & (
    | { readonly share: number }
    | { readonly zone: number }
  ))[];
  /** Hours in which no new on-demand capacity is given either. */
  readonly onDemandDroughts?: readonly (readonly [from: number, to: number])[];
  /** How far spot's price moves around the usual one within a night, as a share of it. */
  readonly priceSwing?: number;
}

/** Training jobs of 4 vCPU that share a node of 16, and are reclaimed with it. */
const jobsPerNode = 3;

const zones = 3;

/** Capacity that is taken away. */
export interface Reclaim {
  readonly at: number;
  readonly notice: boolean;
}

const droughtLasts = 40 * minute;

function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

/** Spot capacity over time, drawn from a seed: whoever holds capacity for a run loses it at the same moments. */
export class SpotMarket {
  readonly #seed: number;
  readonly #settings: MarketSettings;
  readonly #reclaims = new Map<number, readonly Reclaim[]>();
  readonly droughts: readonly (readonly [from: number, to: number])[];

  constructor(seed: number, settings: MarketSettings) {
    this.#seed = seed;
    this.#settings = settings;
    const random = seededRandom(seed ^ 0x5eed);
    const share = settings.droughtShare;
    const droughts: [number, number][] = share === 1 ? [[0, horizon]] : [];
    for (let at = 0; share > 0 && share < 1 && at < horizon; ) {
      const from = at + exponential(random, (droughtLasts * (1 - share)) / share);
      at = from + exponential(random, droughtLasts);
      droughts.push([from, at]);
    }
    for (const [from, to] of settings.droughts ?? []) droughts.push([from * hour, to * hour]);
    this.droughts = droughts.sort(([a], [b]) => a - b);
  }

  /** Reclaims of the node that a run's jobs are on, together with its neighbours'. */
  #of(run: number): readonly Reclaim[] {
    const node = Math.floor(run / jobsPerNode);
    const known = this.#reclaims.get(node);
    if (known) return known;
    const { perHour, withNotice } = this.#settings;
    const random = seededRandom(this.#seed * 31 + node * 7_919 + 1);
    const reclaims: Reclaim[] = [];
    for (
      let at = exponential(random, hour / perHour);
      at < horizon;
      at += exponential(random, hour / perHour)
    )
      reclaims.push({ at, notice: random() < withNotice });
    for (const storm of this.#settings.storms ?? []) {
      const hit = 'zone' in storm ? node % zones === storm.zone : random() < storm.share;
      if (hit) reclaims.push({ at: storm.at * hour, notice: random() < withNotice });
    }
    reclaims.sort((a, b) => a.at - b.at);
    this.#reclaims.set(node, reclaims);
    return reclaims;
  }

  /** The next time a run's spot capacity is taken away. */
  nextReclaim(run: number, after: number): Reclaim | undefined {
    return this.#of(run).find(({ at }) => at > after);
  }

  /** When on-demand capacity is given next. */
  onDemandFrom(at: number): number {
    const end = this.#settings.onDemandDroughts?.find(
      ([from, to]) => at >= from * hour && at < to * hour,
    )?.[1];
    return end === undefined ? at : this.onDemandFrom(end * hour);
  }

  /** Price of a vCPU hour of a kind: spot's moves slowly around the usual discount, over six hours. */
  priceAt(kind: keyof typeof price, at: number): number {
    const { priceSwing = 0 } = this.#settings;
    const swing = kind === 'spot' ? priceSwing * Math.sin((2 * Math.PI * at) / (6 * hour) + this.#seed) : 0;
    return price[kind] * (1 + swing);
  }

  /** When spot capacity is given next: at once, or when the drought is over. */
  placeableFrom(at: number): number {
    const end = this.droughts.find(([from, to]) => at >= from && at < to)?.[1];
    // Another may have begun by then.
    return end === undefined ? at : this.placeableFrom(end);
  }
}

/** What one tenant's run does, undisturbed. */
export interface RunWork {
  readonly tenantId: string;
  readonly run: number;
  readonly stages: Readonly<Record<StageName, number>>;
}

/** Epochs of a training; each ends with a checkpoint. */
export const epochs = 10;

/** Starting a machine and a container: paid for, and nothing done. */
export const startup = 60_000;

const typical: Readonly<Record<StageName, number>> = {
  prepare: 10 * minute,
  train: 60 * minute,
  index: 12 * minute,
  deploy: 3 * minute,
  cache: 4 * minute,
};

/** Runs of different sizes: log-normal around the typical one; with the usual skew a few are three times as long. */
export function workOf(seed: number, tenants: number, scale = 1, skew = 0.45): RunWork[] {
  const random = seededRandom(seed ^ 0xb0b);
  return Array.from({ length: tenants }, (_, run) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const factor = scale * Math.exp(skew * normal);
    const made = Object.entries(typical).map(([stage, ms]) => [stage, Math.round(ms * factor)]);
    return {
      tenantId: `tenant-${String(run).padStart(5, '0')}`,
      run,
      stages: Object.fromEntries(made) as RunWork['stages'],
    };
  });
}

/** Prices of one vCPU for an hour: spot at a discount of 70 %. */
export const price: Readonly<Record<'spot' | 'on-demand', number>> = { spot: 0.3, 'on-demand': 1 };

/** Price of a job's time, at the usual price unless another is given. */
export function cost(stage: StageName, kind: keyof typeof price, ms: number, each = price[kind]): number {
  return (stages[stage].resources.cpu * each * ms) / hour;
}
