import type { Window } from './datasets/memory.ts';
import { type Detectors, follow, type Judged } from './follow.ts';
import { type MetricName, metrics } from './metrics.ts';
import { followMix, type JudgedMix, type Mix } from './mix.ts';
import type { Profile } from './profile.ts';

/** What is known of how a tenant's data usually looks. */
export interface Baseline {
  readonly detectors: Detectors<MetricName>;
  /** Letters by script. */
  readonly mix?: Mix;
  /** Profiles that it has learnt from. */
  readonly count: number;
  /** A number is not judged yet, although there are profiles enough: its week is not over. */
  readonly learning?: boolean;
  /** When the first of them was made, ISO 8601. */
  readonly since: string;
}

/** Bounds between which 99 % of usual numbers are, by metric. */
export type Expected = Readonly<Partial<Record<MetricName, readonly [number, number]>>>;

/** Letters of one document are alike: so many letters say as much as one independent draw. */
const lettersADraw = 200;

/** Profiles that a baseline has learnt from; none while it cannot judge every number. */
export function learntOf(baseline: Baseline | undefined): number {
  return baseline === undefined || baseline.learning ? 0 : baseline.count;
}

/** Judges a profile against the tenant's own past and learns from it; `at` in milliseconds. */
export function followProfile(
  before: Baseline | undefined,
  profile: Profile,
  at: number,
): {
  readonly judged: readonly Judged<MetricName>[];
  readonly mix: JudgedMix | undefined;
  readonly baseline: Baseline;
} {
  const { judged, detectors } = follow(before?.detectors ?? {}, metrics, profile, at);
  const { judged: mix, mix: learnt } = followMix(before?.mix, profile.scripts, { at, unit: lettersADraw });
  const baseline = {
    detectors,
    mix: learnt,
    count: (before?.count ?? 0) + 1,
    since: before && before.count > 0 ? before.since : new Date(at).toISOString(),
    learning: judged.some(({ judgement }) => judgement.learning),
  };
  return { judged, mix, baseline };
}

/** A baseline that has learnt nothing; `at` in milliseconds. */
const emptyBaseline = (at: number): Baseline => ({
  detectors: {},
  count: 0,
  since: new Date(at).toISOString(),
});

/** Whether an instant is in one of the windows. */
export function isExcluded(at: number, excluded: readonly Window[]): boolean {
  return excluded.some(({ from, to }) => at >= Date.parse(from) && at < Date.parse(to));
}

/** What is usual, learnt again from the history, oldest first. */
export function learnAgain(
  history: readonly { readonly checkedAt: string; readonly profile: Profile }[],
  excluded: readonly Window[],
): Baseline {
  let baseline: Baseline | undefined;
  for (const { checkedAt, profile } of history) {
    const at = Date.parse(checkedAt);
    if (!isExcluded(at, excluded)) baseline = followProfile(baseline, profile, at).baseline;
  }
  return baseline ?? emptyBaseline(0);
}
