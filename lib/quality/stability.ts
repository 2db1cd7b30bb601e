/** How far a mix of categories is from the usual one. */
export interface Stability {
  /** Population stability index: 0 for the same mix; 0.1 is told, 0.25 is a large change. */
  readonly index: number;
  /** Minus the decimal logarithm of the probability of such an index without a change, at these counts. */
  readonly surprise: number;
  /** What follows a chi-squared distribution with so many degrees of freedom without a change. */
  readonly statistic: number;
  readonly degrees: number;
  /** The category that moved most, in words. */
  readonly largest: string;
}

/** Added to every count, so that an empty category has no infinite weight. */
const smoothing = 0.5;

/** ln Γ(x) for x = 1/2, 1, 3/2, ..., by Γ(x + 1) = x Γ(x) from Γ(1/2) = √π and Γ(1) = 1. */
function lnGammaOfHalves(x: number): number {
  let sum = x % 1 === 0 ? 0 : Math.log(Math.PI) / 2;
  for (let at = x % 1 === 0 ? 1 : 0.5; at < x; at += 1) sum += Math.log(at);
  return sum;
}

/**
 * Upper tail of the chi-squared distribution as minus a decimal logarithm: the continued fraction of the incomplete gamma function
 * (Abramowitz and Stegun 6.5.31, evaluated by Lentz's method). 0 up to the mean plus 1, where no tail is asked for.
 */
export function chiSquaredSurprise(value: number, degrees: number): number {
  const [a, x] = [degrees / 2, value / 2];
  if (degrees < 1 || x <= a + 1) return 0;
  let b = x + 1 - a;
  let c = Number.MAX_VALUE;
  let d = 1 / b;
  let fraction = d;
  for (let step = 1; step < 200; step += 1) {
    const part = -step * (step - a);
    b += 2;
    d = 1 / (part * d + b);
    c = b + part / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-12) break;
  }
  return (x - a * Math.log(x) + lnGammaOfHalves(a) - Math.log(fraction)) / Math.LN10;
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/**
 * Compares a mix with the usual one. Without a change the index times (1/n + 1/m)^-1 follows a chi-squared distribution with one
 * degree less than there are categories, so the same index is judged by how much was counted. `unit` is the count that says as much as
 * one independent draw.
 */
export function stability(
  usual: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
  unit: number,
): Stability {
  const names = [...new Set([...Object.keys(usual), ...Object.keys(now)])];
  const total = (mix: Readonly<Record<string, number>>) =>
    names.reduce((sum, name) => sum + (mix[name] ?? 0) / unit, 0);
  const [before, after] = [total(usual), total(now)];
  if (names.length < 2 || before < 1 || after < 1)
    return { index: 0, surprise: 0, statistic: 0, degrees: 0, largest: '' };
  const share = (mix: Readonly<Record<string, number>>, name: string, sum: number) =>
    ((mix[name] ?? 0) / unit + smoothing) / (sum + smoothing * names.length);
  const parts = names.map((name) => {
    const [was, is] = [share(usual, name, before), share(now, name, after)];
    return { name, was, is, part: (is - was) * Math.log(is / was) };
  });
  const index = parts.reduce((sum, { part }) => sum + part, 0);
  const [most] = parts.toSorted((a, b) => b.part - a.part);
  const [statistic, degrees] = [index / (1 / before + 1 / after), names.length - 1];
  return {
    index,
    surprise: chiSquaredSurprise(statistic, degrees),
    statistic,
    degrees,
    largest: most ? `${most.name} ${percent(most.is)}, usually ${percent(most.was)}` : '',
  };
}
