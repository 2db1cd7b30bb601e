/** Dollars with as many places as small sums need. */
export function dollars(usd: number): string {
  const size = Math.abs(usd);
  return `${usd < 0 ? '-' : ''}$${size.toFixed(size === 0 || size >= 1 ? 2 : size >= 0.01 ? 4 : 6)}`;
}

/** A part of something, as people read it. */
export const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
