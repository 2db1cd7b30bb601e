/**
 * How a series' far values are distributed: how often an error exceeds two standard deviations, and how far it then goes (peaks
 * over threshold, with Hill's estimate of the logarithm of the excess). Both numbers begin as a prior and follow the series.
 */
export interface Tail {
  /** Probability of an error beyond the threshold. */
  readonly share: number;
  /** Mean of the logarithm of (error / threshold) beyond it; 0.17 for a normal distribution. */
  readonly excess: number;
  /** The tail that is believed while excesses are short: errors of a well-known season are nearly normal, others a little heavier. */
  readonly light: 'normal' | 'exponential';
}

/** Threshold in standard deviations. */
const threshold = 2;

/** Values that the prior share counts as, and the most that are remembered. */
const shareMemory = { prior: 200, most: 4000 };

/** Errors beyond the threshold that the prior excess counts as, and the most that are remembered. */
const excessMemory = { prior: 80, most: 200 };

/** Values before which errors say more about an unfinished baseline than about the tail. */
const settled = 30;

/**
 * Up to the first excess a light tail counts as it is called, from the last on as a power law; a normal one is exponential in between,
 * at the middle number.
 */
const shapes = {
  normal: { until: 0.195, exponentialAt: 0.215, powerFrom: 0.26 },
  exponential: { until: 0.19, exponentialAt: 0.19, powerFrom: 0.25 },
};

/** The least excess that is believed, which is about that of a normal distribution. */
const leastExcess = 0.17;

/** The mean of (error - threshold) is about so many times the mean logarithm of (error / threshold) for a light tail. */
const linear = 2.2;

/** The tail before anything is known of it: that of a normal distribution, or a little heavier. */
export const newTail = (light: Tail['light']): Tail => ({
  share: 0.05,
  excess: light === 'normal' ? 0.17 : 0.2,
  light,
});

/** Whether errors teach the tail after this many values. */
export const hasTail = (count: number): boolean => count > settled;

/** The tail with one more error (in standard deviations, positive) of a series of `count` values. */
export function widenTail({ share, excess, light }: Tail, error: number, count: number): Tail {
  const beyond = error > threshold;
  const seen = Math.min(count + shareMemory.prior, shareMemory.most);
  const next = share + ((beyond ? 1 : 0) - share) / seen;
  if (!beyond) return { share: next, excess, light };
  const far = Math.min(excessMemory.prior + count * share, excessMemory.most);
  return { share: next, excess: excess + (Math.log(error / threshold) - excess) / far, light };
}

/** Minus the natural logarithm of the upper tail of the normal distribution (continued fraction by Laplace; from 2 on exact to 0.1 %). */
function normalTail(error: number): number {
  let fraction = 0;
  for (let term = 12; term >= 1; term -= 1) fraction = term / (error + fraction);
  return (error * error) / 2 + Math.log(Math.sqrt(2 * Math.PI) * (error + fraction));
}

/** 0 up to `from`, 1 from `to` on. */
function between(value: number, from: number, to: number): number {
  if (value <= from) return 0;
  return value >= to ? 1 : (value - from) / (to - from);
}

/** Minus the decimal logarithm of the probability of an error at least this large (in standard deviations); 0 within the threshold. */
export function surpriseOf({ share, excess, light }: Tail, error: number): number {
  if (error <= threshold) return 0;
  const { until, exponentialAt, powerFrom } = shapes[light];
  const believed = Math.max(excess, leastExcess);
  const normal = light === 'normal' ? normalTail(error) - normalTail(threshold) : 0;
  const exponential = (error - threshold) / (linear * believed);
  const power = Math.log(error / threshold) / believed;
  const heavier = light === 'normal' ? between(excess, until, exponentialAt) : 1;
  const heavy = between(excess, exponentialAt, powerFrom);
  const near = (1 - heavier) * normal + heavier * exponential;
  return ((1 - heavy) * near + heavy * power - Math.log(share)) / Math.LN10;
}
