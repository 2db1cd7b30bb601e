/** Weight of one value without what it holds, and of one key. */
export interface Weights {
  value(value: unknown): number;
  key(key: string): number;
}

/** As the service measures what an expression makes: 8 bytes a number, 1 a character. */
export const expressionWeights: Weights = {
  value: (value) => (typeof value === 'string' ? value.length : typeof value === 'boolean' ? 4 : 8),
  key: (key) => key.length,
};

/** The least a value's JSON text has: what exceeds a limit in this weight exceeds it as text. */
export const textWeights: Weights = {
  value: (value) => (typeof value === 'string' ? value.length + 2 : typeof value === 'object' ? 2 : 1),
  key: (key) => key.length + 3,
};

/**
 * Whether the weight of what a value holds exceeds a limit. It stops counting there, so that a value whose parts are
 * shared (its text may be endless) costs no more than the limit.
 */
export function exceeds(value: unknown, limit: number, weights: Weights): boolean {
  if (typeof value !== 'object' || value === null) return weights.value(value) > limit;
  let weight = 0;
  const open: object[] = [value];
  const add = (each: unknown) => {
    weight += weights.value(each);
    if (typeof each === 'object' && each !== null) open.push(each);
  };
  for (let next = open.pop(); next && weight <= limit; next = open.pop()) {
    if (Array.isArray(next)) {
      for (let index = 0; index < next.length && weight <= limit; index += 1) add(next[index]);
    } else {
      for (const [key, each] of Object.entries(next)) {
        weight += weights.key(key);
        add(each);
      }
    }
  }
  return weight > limit;
}
