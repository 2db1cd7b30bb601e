import { type DetectorState, type Judgement, newDetector, observe } from './detector.ts';

/** A number of a profile that is followed over time. */
export interface Metric<P, N extends string = string> {
  readonly name: N;
  /** The number on the scale that the detector works on, and what counting alone makes it vary there; undefined without a number. */
  readonly read: (profile: P) => { readonly value: number; readonly sampling: number } | undefined;
  /** Back from that scale to the number itself: a count, a length, a share from 0 to 1. */
  readonly back: (value: number) => number;
  /** The number itself as people read it. */
  readonly show: (number: number) => string;
  readonly noun: string;
  /** It follows people's week closely: what is particular to each hour of the week is kept. */
  readonly weekly: boolean;
}

/** One number beside what was expected of it. */
export interface Judged<N extends string = string> {
  readonly metric: Pick<Metric<never, N>, 'name' | 'back' | 'show' | 'noun'>;
  readonly value: number;
  readonly judgement: Judgement;
}

/** Detectors by the name of their number. */
export type Detectors<N extends string = string> = Readonly<Partial<Record<N, DetectorState>>>;

/** Judges every number of a profile against its own past, and learns from it; `at` in milliseconds. */
export function follow<P, N extends string>(
  before: Detectors<N>,
  metrics: readonly Metric<P, N>[],
  profile: P,
  at: number,
): { readonly judged: readonly Judged<N>[]; readonly detectors: Detectors<N> } {
  const detectors: Partial<Record<N, DetectorState>> = { ...before };
  const judged: Judged<N>[] = [];
  for (const metric of metrics) {
    const read = metric.read(profile);
    if (!read) continue;
    const kept: DetectorState | undefined = detectors[metric.name];
    // What an earlier release stored in another form is learnt again.
    const known = kept?.season === undefined ? newDetector(metric) : kept;
    const { judgement, state } = observe(known, { at, ...read });
    detectors[metric.name] = state;
    judged.push({ metric, value: read.value, judgement });
  }
  return { judged, detectors };
}

/** What was expected of each number, once enough is known to judge it: bounds between which 99 % of usual ones are. */
export function expectedOf<N extends string>(
  judged: readonly Judged<N>[],
): Readonly<Partial<Record<N, readonly [number, number]>>> {
  const expected: Partial<Record<N, readonly [number, number]>> = {};
  for (const { metric, judgement } of judged)
    if (!judgement.learning)
      expected[metric.name] = [metric.back(judgement.low), metric.back(judgement.high)];
  return expected;
}
