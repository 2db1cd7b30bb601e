import { type DetectorState, newDetector, observe } from './detector.ts';
import { type Stability, stability } from './stability.ts';

/** Counts by category. */
export type Counts = Readonly<Record<string, number>>;

/** What is known of a mix of categories: the usual one, and how far single ones were from it. */
export interface Mix {
  /** Averaged with forgetting. */
  readonly counts: Counts;
  /** Of the distance, as a number that is nearly normal. */
  readonly distance: DetectorState;
}

/** Share of a new mix in the usual one. */
const gain = 0.05;

/** The usual mix with a new one in it; what is nearly never there is forgotten. */
function mixed(before: Counts | undefined, now: Counts): Counts {
  if (!before) return now;
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  const next = [...names].map((name) => {
    const was = before[name] ?? 0;
    return [name, Number((was + gain * ((now[name] ?? 0) - was)).toPrecision(6))] as const;
  });
  return Object.fromEntries(next.filter(([, count]) => count >= 0.5));
}

/** A mix beside the usual one. */
export interface JudgedMix {
  readonly stability: Stability;
  /** As of `Judgement`: how improbable it is both by counting and by how far this tenant's mixes usually are from the usual one. */
  readonly surprise: number;
  readonly news: boolean;
}

/**
 * Judges a mix and learns from it. A real mix varies by more than counting does, so its distance from the usual one is followed like any
 * other number, and only one that is far out by both is surprising. `unit` is what counts as one independent draw.
 */
export function followMix(
  before: Mix | undefined,
  now: Counts,
  { at, unit }: { readonly at: number; readonly unit: number },
): { readonly judged: JudgedMix | undefined; readonly mix: Mix } {
  if (!before) return { judged: undefined, mix: { counts: now, distance: newDetector({ weekly: false }) } };
  const found = stability(before.counts, now, unit);
  const counts = mixed(before.counts, now);
  // Fisher: the root of twice a chi-squared variable is nearly normal, with deviation 1.
  const value = Math.sqrt(2 * found.statistic);
  const { judgement, state } = observe(before.distance, { at, value, sampling: 1 });
  const own = judgement.learning || value <= judgement.expected ? 0 : judgement.surprise;
  return {
    judged: { stability: found, surprise: Math.min(found.surprise, own), news: judgement.news },
    mix: { counts, distance: state },
  };
}
