import { priceList } from './prices.ts';

/** What one kind of commitment for a year would have meant for recorded hours. */
export interface Commitment {
  readonly kind: string;
  /** Part of the on-demand price that it saves. */
  readonly discount: number;
  /** Usage to commit to, US dollars an hour at on-demand prices, beyond what is committed already. */
  readonly hourly: number;
  /** US dollars a month against no further commitment. */
  readonly savedMonthly: number;
  /** Part of the commitment that is used, and part of the usage that it covers. */
  readonly utilisation: number;
  readonly coverage: number;
  /** Part of the commitment that has to be used for it to cost no more than on-demand. */
  readonly breakEven: number;
  /** US dollars a month more than without it, if usage fell by 30 %; negative where it would still save. */
  readonly regretMonthly: number;
}

/** By how much usage falls where regret is asked for. */
const fall = 0.3;

const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** Dollars of some hours with a commitment. */
function costOf(usage: readonly number[], committed: number, discount: number): number {
  return sum(usage.map((used) => committed * (1 - discount) + Math.max(0, used - committed)));
}

/**
 * The commitment that costs least: one more dollar pays where it is used in more than (1 - discount) of the hours, so it is that quantile of
 * the usage.
 */
function cheapest(usage: readonly number[], discount: number): number {
  const sorted = [...usage].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(discount * sorted.length))] ?? 0;
}

/**
 * One-year commitments that would have cost least for recorded usage (US dollars an hour at on-demand prices, without spot), with what is
 * committed already taken off. Nothing is bought by it.
 */
export function commitmentsFor(hours: readonly number[], committed: number): Commitment[] {
  const usage = hours.map((used) => Math.max(0, used - committed));
  const months = hours.length / priceList.hoursPerMonth;
  return Object.entries(priceList.oneYear).map(([kind, discount]) => {
    const hourly = cheapest(usage, discount);
    const fallen = hours.map((used) => Math.max(0, used * (1 - fall) - committed));
    const used = sum(usage.map((one) => Math.min(one, hourly)));
    return {
      kind,
      discount,
      hourly,
      savedMonthly: (sum(usage) - costOf(usage, hourly, discount)) / months,
      utilisation: hourly === 0 ? 0 : used / (hourly * hours.length),
      coverage: sum(usage) === 0 ? 0 : used / sum(usage),
      breakEven: 1 - discount,
      regretMonthly: (costOf(fallen, hourly, discount) - sum(fallen)) / months,
    };
  });
}
