/**
 * Which of several surprises are reported when the share of false ones among the reports may be at most `rate` (Benjamini and
 * Hochberg, 1995). A surprise is minus the decimal logarithm of a p-value. Weights, 1 on average, say what is looked for most: a p-value
 * counts as divided by its own (Genovese, Roeder and Wasserman, 2006), which keeps the rate.
 */
export function significant(
  surprises: readonly number[],
  rate: number,
  weights: readonly number[] = surprises.map(() => 1),
): boolean[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const scaled = surprises.map((surprise, index) =>
    surprise > 0 ? surprise + Math.log10(((weights[index] ?? 1) * surprises.length) / sum) : surprise,
  );
  const ranked = scaled.toSorted((a, b) => b - a);
  let least = Number.POSITIVE_INFINITY;
  ranked.forEach((surprise, index) => {
    if (surprise >= -Math.log10((rate * (index + 1)) / ranked.length)) least = surprise;
  });
  return scaled.map((surprise) => surprise >= least);
}
