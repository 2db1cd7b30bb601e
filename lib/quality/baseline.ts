import { type DetectorState, type Judgement, newDetector, observe } from './detector.ts';
import { type Metric, type MetricName, metrics } from './metrics.ts';
import type { Profile } from './profile.ts';

/** What is known of how a tenant's data usually looks. */
export interface Baseline {
  readonly detectors: Readonly<Partial<Record<MetricName, DetectorState>>>;
  /** Letters by script, averaged with forgetting; the mix that is usual. */
  readonly scripts: Readonly<Record<string, number>>;
  /** Profiles that it has learnt from. */
  readonly count: number;
  /** A number is not judged yet, although there are profiles enough: its week is not over. */
  readonly learning?: boolean;
  /** When the first of them was made, ISO 8601. */
  readonly since: string;
}

/** Bounds between which 99 % of usual numbers are, by metric. */
export type Expected = Readonly<Partial<Record<MetricName, readonly [number, number]>>>;

/** One metric's value beside what was expected. */
export interface Judged {
  readonly metric: Metric;
  readonly value: number;
  readonly judgement: Judgement;
}

/** Share of a new profile in the usual mix of scripts. */
const mixGain = 0.05;

function mixed(before: Baseline | undefined, scripts: Profile['scripts']): Readonly<Record<string, number>> {
  if (!before) return scripts;
  const names = new Set([...Object.keys(before.scripts), ...Object.keys(scripts)]);
  const next = [...names].map((name) => {
    const was = before.scripts[name] ?? 0;
    return [name, was + mixGain * ((scripts[name] ?? 0) - was)] as const;
  });
  return Object.fromEntries(next.filter(([, letters]) => letters >= 0.5));
}

/** Profiles that a baseline has learnt from; none while it cannot judge every number. */
export function learntOf(baseline: Baseline | undefined): number {
  return baseline === undefined || baseline.learning ? 0 : baseline.count;
}

/** What was expected of each metric's number, once enough is known to judge it. */
export function expectedOf(judged: readonly Judged[]): Expected {
  return Object.fromEntries(
    judged
      .filter(({ judgement }) => !judgement.learning)
      .map(({ metric, judgement: { low, high } }) => [metric.name, [metric.back(low), metric.back(high)]]),
  );
}

/** Judges a profile against the tenant's own past and learns from it; `at` in milliseconds. */
export function followProfile(
  before: Baseline | undefined,
  profile: Profile,
  at: number,
): { readonly judged: readonly Judged[]; readonly baseline: Baseline } {
  const detectors: Partial<Record<MetricName, DetectorState>> = { ...before?.detectors };
  const judged: Judged[] = [];
  for (const metric of metrics) {
    const read = metric.read(profile);
    if (!read) continue;
    const kept = detectors[metric.name];
    // What an earlier release stored in another form is learnt again.
    const before = kept?.season === undefined ? newDetector(metric) : kept;
    const { judgement, state } = observe(before, { at, ...read });
    detectors[metric.name] = state;
    judged.push({ metric, value: read.value, judgement });
  }
  const baseline = {
    detectors,
    scripts: mixed(before, profile.scripts),
    count: (before?.count ?? 0) + 1,
    since: before?.since ?? new Date(at).toISOString(),
    learning: judged.some(({ judgement }) => judgement.learning),
  };
  return { judged, baseline };
}
