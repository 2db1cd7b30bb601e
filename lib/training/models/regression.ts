/** Passages that were looked up by a part of their text: keys of those that were found first, and of those that were not. */
export interface Probes {
  readonly found: readonly string[];
  readonly missed: readonly string[];
}

/** How a stage's result and a model's record hold them: keys of six digits, one after another. */
export interface StoredProbes {
  readonly found: string;
  readonly missed: string;
}

/** Passages that are looked up by a part of their text, and digits of a passage's id that name one. */
export const mostProbes = 400;
const keyLength = 6;

/** Fewer passages that are in both corpora say too little. */
const fewest = 200;

/** Upper 5 % of the normal distribution. */
const oneSided = 1.645;

/** Share of probes that a new model may find less, where the tenant says nothing. */
export const defaultRegression = 0.05;

/** The key of a passage; its first digits choose the probes, so that they are nearly the same of all. */
export const probeKey = (passageId: string): string => passageId.slice(-keyLength);

/** Probes as they are stored. */
export function storeProbes({ found, missed }: Probes): StoredProbes {
  return { found: found.join(''), missed: missed.join('') };
}

const keys = (stored: string): string[] => stored.match(new RegExp(`.{${keyLength}}`, 'g')) ?? [];

/** What a stage's result says; undefined when it says nothing of probes, as that of a workload that makes none. */
export function probesOf(value: unknown): StoredProbes | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { found, missed } = value as Record<string, unknown>;
  const isKeys = (text: unknown): text is string =>
    typeof text === 'string' && /^[0-9a-f]*$/.test(text) && text.length <= mostProbes * keyLength;
  return isKeys(found) && isKeys(missed) ? { found, missed } : undefined;
}

/** A new model beside the live one, on the passages that both have. */
export interface Comparison {
  readonly pairs: number;
  /** Share of them that is found more (or, below 0, less). */
  readonly change: number;
  /** One-sided upper 95 % bound of that change. */
  readonly atMost: number;
}

/** Compares two models on the same passages; undefined when too few of them are in both corpora. */
export function compareProbes(live: StoredProbes, candidate: StoredProbes): Comparison | undefined {
  const before = new Map<string, number>();
  for (const key of keys(live.found)) before.set(key, 1);
  for (const key of keys(live.missed)) before.set(key, 0);
  const changes: number[] = [];
  const note = (stored: string, found: number) => {
    for (const key of keys(stored)) {
      const was = before.get(key);
      if (was !== undefined) changes.push(found - was);
    }
  };
  note(candidate.found, 1);
  note(candidate.missed, 0);
  const pairs = changes.length;
  if (pairs < fewest) return undefined;
  const change = changes.reduce((sum, each) => sum + each, 0) / pairs;
  const variance = changes.reduce((sum, each) => sum + (each - change) ** 2, 0) / (pairs - 1);
  // Half a probe more: differences come in whole probes.
  return { pairs, change, atMost: change + oneSided * Math.sqrt(variance / pairs) + 0.5 / pairs };
}

/** Whether the new model is certainly worse than may be: then the live one stays. */
export function hasRegressed({ atMost }: Comparison, maxRegression: number): boolean {
  return atMost < -maxRegression;
}
