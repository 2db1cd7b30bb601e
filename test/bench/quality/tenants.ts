import type { Profile } from '../../../lib/quality/profile.ts';
import { seededRandom } from '../../../local/clock/seeded-random.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** A Sunday; summer time ends within the 90 days that follow. */
const begin = Date.parse('2026-09-06T00:00:00Z');
const winterBegins = Date.parse('2026-10-25T01:00:00Z');

/** Draws of distributions from a seed. */
class Draw {
  readonly #random: () => number;
  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }
  between(low: number, high: number): number {
    return low + (high - low) * this.#random();
  }
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
  /** Marsaglia and Tsang, with mean `shape`. */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * this.#random() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.#random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }
  poisson(mean: number): number {
    if (mean > 200) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    let [product, count] = [1 - this.#random(), 0];
    for (const limit = Math.exp(-mean); product > limit; count += 1) product *= 1 - this.#random();
    return count;
  }
  binomial(n: number, p: number): number {
    const mean = n * p;
    if (mean < 30 || n * (1 - p) < 30) return Math.min(n, this.poisson(mean));
    return Math.min(n, Math.max(0, Math.round(mean + Math.sqrt(mean * (1 - p)) * this.normal())));
  }
}

/** What is broken in one partition, by how much. */
export interface Fault {
  readonly kind: 'rows' | 'nulls' | 'missing' | 'mix' | 'length';
  /** Share of rows that are gone, points of unreadable ones, share of letters in another script, factor of the length. */
  readonly size: number;
}

/** One hour's partition of a tenant. */
export interface Look {
  readonly at: number;
  /** Standard deviation of the logarithm of the hour's rows for somebody who knows everything but this hour. */
  readonly deviation: number;
  /** Absent where the hour has a gap: nothing arrived, and nothing is judged. */
  readonly profile: (fault?: Fault) => Profile | undefined;
}

interface Shape {
  readonly base: number;
  readonly peaks: readonly { readonly at: number; readonly width: number; readonly height: number }[];
  readonly weekend: number;
  readonly growth: number;
  readonly zone: number;
  readonly persistence: number;
  readonly holidays: ReadonlyMap<number, number>;
  readonly unreadable: number;
  readonly duplicates: number;
  readonly length: number;
  readonly cyrillic: number;
}

function shapeOf(draw: Draw): Shape {
  const peak = () => ({ at: draw.between(7, 22), width: draw.between(1.5, 5), height: draw.between(0.5, 3) });
  const holidays = Array.from(
    { length: 2 },
    () => [Math.floor(draw.between(14, 90)), draw.between(0.75, 0.97)] as const,
  );
  return {
    base: 1_000 * 10 ** draw.between(0, 1.5),
    peaks: [peak(), peak()],
    weekend: draw.between(0.4, 1),
    growth: draw.between(-0.1, 0.4),
    zone: Math.floor(draw.between(-8, 9)),
    persistence: draw.between(0, 0.7),
    holidays: new Map(holidays),
    unreadable: draw.between(0.002, 0.02),
    duplicates: draw.between(0.005, 0.05),
    length: draw.between(400, 3_000),
    cyrillic: draw.between(0.02, 0.3),
  };
}

/** Documents that the hour should bring: people's day in their own time, which summer time moves, a week, growth, holidays. */
function expectedAt(shape: Shape, at: number): number {
  const local = new Date(at + (shape.zone + (at < winterBegins ? 1 : 0)) * hour);
  const clock = local.getUTCHours();
  const daily = shape.peaks.reduce((sum, { at: centre, width, height }) => {
    const away = Math.min(Math.abs(clock - centre), 24 - Math.abs(clock - centre));
    return sum + height * Math.exp(-((away / width) ** 2) / 2);
  }, 0.6);
  const weekday = local.getUTCDay();
  const weekly = weekday === 0 || weekday === 6 ? shape.weekend : 1;
  const days = Math.floor((at - begin) / day);
  return shape.base * daily * weekly * (1 + (shape.growth * days) / 90) * (shape.holidays.get(days) ?? 1);
}

interface Hour {
  readonly draw: Draw;
  readonly shape: Shape;
  readonly mean: number;
}

function profileOf({ draw, shape, mean }: Hour, fault?: Fault): Profile {
  const is = (kind: Fault['kind']) => (fault?.kind === kind ? fault.size : 0);
  // Overdispersed: documents come in batches.
  const rows = fault?.kind === 'missing' ? 0 : mean * (1 - is('rows'));
  const found = rows === 0 ? 0 : draw.poisson((rows * draw.gamma(4_000)) / 4_000);
  const unreadable = draw.binomial(found, Math.min(1, shape.unreadable + is('nulls')));
  const empty = draw.binomial(found - unreadable, 0.003);
  const duplicates = draw.binomial(found - unreadable - empty, shape.duplicates);
  const used = found - unreadable - empty - duplicates;
  const length = shape.length * (fault?.kind === 'length' ? fault.size : 1);
  const deviation = 0.8 * length;
  const meanLength = used === 0 ? null : Math.max(1, length + (deviation / Math.sqrt(used)) * draw.normal());
  const other = Math.min(1, shape.cyrillic + is('mix'));
  const cyrillic = draw.binomial(used, other);
  return {
    digest: '0'.repeat(64),
    files: found === 0 ? 0 : 1,
    bytes: Math.round(used * (meanLength ?? 0)),
    newestArrival: null,
    found,
    used,
    unreadable,
    empty,
    duplicates,
    meanLength,
    lengthDeviation: deviation,
    scripts: { Latin: 250 * (used - cyrillic), Cyrillic: 250 * cyrillic },
    sampled: false,
    leftOut: '',
  };
}

/**
 * The hours of one simulated tenant. Nothing here knows the detector: counts are gamma-Poisson around people's days (two bumps, not
 * hours of a table), noise of relative size `noise` is autocorrelated, and every tenant is another one.
 */
export function* tenantHours(
  seed: number,
  { days, noise }: { days: number; noise: number },
): Generator<Look> {
  const draw = new Draw(seed);
  const shape = shapeOf(draw);
  let drift = 0;
  for (let index = 0; index < days * 24; index += 1) {
    const at = begin + index * hour;
    drift = shape.persistence * drift + Math.sqrt(1 - shape.persistence ** 2) * draw.normal();
    const mean = expectedAt(shape, at) * Math.exp(noise * drift);
    const gap = draw.between(0, 1) < 0.001;
    const deviation = Math.sqrt(noise ** 2 * (1 - shape.persistence ** 2) + 1 / 4_000 + 1 / mean);
    yield {
      at,
      deviation,
      profile: (fault) => (gap && !fault ? undefined : profileOf({ draw, shape, mean }, fault)),
    };
  }
}
