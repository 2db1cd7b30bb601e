/**
 * How a series' far values are distributed: how often an error exceeds two standard deviations, and how far it then goes (peaks
 * over threshold, with Hill's estimate of the logarithm of the excess). Both numbers begin as a prior and follow the series.
 */
export interface Tail {
  /** Probability of an error beyond the threshold. */
  readonly share: number;
  /** Mean of the logarithm of (error / threshold) beyond it; 0.17 for a normal distribution. */
  readonly excess: number;
}

/** Threshold in standard deviations. */
const threshold = 2;

/** Values that the prior share counts as, and the most that are remembered. */
const shareMemory = { prior: 200, most: 4000 };

/** Errors beyond the threshold that the prior excess counts as, and the most that are remembered. */
const excessMemory = { prior: 80, most: 200 };

/** Values before which errors say more about an unfinished baseline than about the tail. */
const settled = 30;

/** Up to the first excess a tail counts as exponential, from the second on as a power law, in between as a mixture. */
const light = { until: 0.19, heavyFrom: 0.25 };

/** The least excess that is believed, which is about that of a normal distribution. */
const leastExcess = 0.17;

/** The mean of (error - threshold) is about so many times the mean logarithm of (error / threshold) for a light tail. */
const linear = 2.2;

/** The tail before anything is known of it: a little heavier than a normal distribution. */
export const newTail = (): Tail => ({ share: 0.05, excess: 0.2 });

/** Whether errors teach the tail after this many values. */
export const hasTail = (count: number): boolean => count > settled;

/** The tail with one more error (in standard deviations, positive) of a series of `count` values. */
export function widenTail({ share, excess }: Tail, error: number, count: number): Tail {
  const beyond = error > threshold;
  const seen = Math.min(count + shareMemory.prior, shareMemory.most);
  const next = share + ((beyond ? 1 : 0) - share) / seen;
  if (!beyond) return { share: next, excess };
  const far = Math.min(excessMemory.prior + count * share, excessMemory.most);
  return { share: next, excess: excess + (Math.log(error / threshold) - excess) / far };
}

/** Minus the decimal logarithm of the probability of an error at least this large (in standard deviations); 0 within the threshold. */
export function surpriseOf({ share, excess }: Tail, error: number): number {
  if (error <= threshold) return 0;
  const believed = Math.max(excess, leastExcess);
  const exponential = (error - threshold) / (linear * believed);
  const power = Math.log(error / threshold) / believed;
  const heavy = Math.min(1, Math.max(0, (excess - light.until) / (light.heavyFrom - light.until)));
  return (heavy * power + (1 - heavy) * exponential - Math.log(share)) / Math.LN10;
}
