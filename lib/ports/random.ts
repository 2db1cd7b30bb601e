/** Randomness as a parameter: uniform in [0, 1). */
export type Random = () => number;
