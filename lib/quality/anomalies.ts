import type { Baseline, Judged } from './baseline.ts';
import { learningCount } from './detector.ts';
import { significant } from './false-discovery.ts';
import type { Finding } from './finding.ts';
import type { MetricName } from './metrics.ts';
import type { Profile } from './profile.ts';
import { stability } from './stability.ts';

/**
 * False-discovery rate per look at a tenant: with 24 looks a day, one false warning in a quarter is 1 in 2,160 looks. The rate is a
 * fifth of that, because clean data has more incidents than the model knows (holidays, clocks that are moved): measured by
 * `npm run bench -- quality`.
 */
export const discoveryRate = 1 / 10_800;

/** Surprise from which an anomaly of a metric that says "the data is broken" closes the gate: one in a million. */
const criticalSurprise = 6;

/** How far a metric has to be from what was expected before it closes the gate, on the detector's scale. */
const criticalEffects: Readonly<Partial<Record<MetricName, (away: number, value: number) => boolean>>> = {
  // Half of the documents are gone. More documents than expected close no gate.
  documents: (away) => away <= Math.log(0.5),
  // 20 points more than expected: asin(sqrt(0.25)) - asin(sqrt(0.05)).
  unreadable: (away) => away >= 0.3,
  duplicates: (away) => away >= 0.3,
};

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

function when(at: number): string {
  const date = new Date(at);
  return `${weekdays[date.getUTCDay()]} ${date.toISOString().slice(11, 13)}:00`;
}

function history({ count, since }: Baseline, at: number): string {
  const days = Math.max(1, Math.round((at - Date.parse(since)) / 86_400_000));
  return `from ${count} checks of ${days} day${days === 1 ? '' : 's'}`;
}

/** The code of a finding about a metric, `UNUSUAL_MEAN_LENGTH` for instance. */
export function anomalyCode(metric: MetricName): string {
  return `UNUSUAL_${metric.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function findingOf({ metric, value, judgement }: Judged, baseline: Baseline, at: number): Finding {
  const { expected, low, high, surprise } = judgement;
  const shown = (at: number) => metric.show(metric.back(at));
  const closes =
    criticalEffects[metric.name]?.(value - expected, value) === true && surprise >= criticalSurprise;
  return {
    check: 'anomalies',
    code: anomalyCode(metric.name),
    severity: closes ? 'critical' : 'warning',
    sentence: `${shown(value)} ${metric.noun}, expected ${shown(low)} to ${shown(high)} for a ${when(at)}, ${history(baseline, at)}`,
  };
}

/** What is unlike the tenant's own past; `before` is the past without this profile, `at` in milliseconds. */
export function checkAnomalies(
  before: Baseline | undefined,
  { judged, profile, at }: { judged: readonly Judged[]; profile: Profile; at: number },
): Finding[] {
  if (!before || before.count < learningCount) return [];
  const mix = stability(before.scripts, profile.scripts);
  const surprises = [...judged.map(({ judgement }) => judgement.surprise), mix.surprise];
  const reported = significant(surprises, discoveryRate);
  const findings = judged
    .filter((_, index) => reported[index])
    .map((each) => ({ news: each.judgement.news, finding: findingOf(each, before, at) }))
    // What closes the gate is found as long as it lasts; what is only unusual is told when it begins.
    .filter(({ news, finding }) => news || finding.severity === 'critical')
    .map(({ finding }) => finding);
  if (!reported.at(-1) || mix.index < stabilityFloor) return findings;
  return [
    ...findings,
    {
      check: 'anomalies',
      code: 'UNUSUAL_SCRIPTS',
      severity: 'warning',
      sentence: `the mix of scripts has moved (population stability index ${mix.index.toFixed(2)}): ${mix.largest}, ${history(before, at)}`,
    },
  ];
}

/** An index below this is no change worth telling, however certain it is (usual reading of the index). */
const stabilityFloor = 0.1;
