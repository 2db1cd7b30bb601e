/** Without the tail of a binary fraction: 0.05, not 0.050000000000000044. */
export const rounded = (value: number): number => Number(value.toPrecision(12));
