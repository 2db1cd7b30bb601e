/**
 * Which of several surprises are reported when the share of false ones among the reports may be at most `rate` (Benjamini and
 * Hochberg, 1995). A surprise is minus the decimal logarithm of a p-value.
 */
export function significant(surprises: readonly number[], rate: number): boolean[] {
  const ranked = surprises.toSorted((a, b) => b - a);
  let least = Number.POSITIVE_INFINITY;
  ranked.forEach((surprise, index) => {
    if (surprise >= -Math.log10((rate * (index + 1)) / ranked.length)) least = surprise;
  });
  return surprises.map((surprise) => surprise >= least);
}
