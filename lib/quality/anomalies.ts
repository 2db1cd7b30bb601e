import type { Baseline } from './baseline.ts';
import { learningCount } from './detector.ts';
import { significant } from './false-discovery.ts';
import type { Finding } from './finding.ts';
import type { Judged } from './follow.ts';
import type { MetricName } from './metrics.ts';
import type { JudgedMix } from './mix.ts';

/**
 * False-discovery rate per look at a tenant: with 24 looks a day, one false warning in a quarter is 1 in 2,160 looks. The rate is a
 * quarter of that, because clean data has more incidents than the model knows (holidays, clocks that are moved): measured by
 * `npm run bench -- quality`.
 */
export const discoveryRate = 1.3 / 10_800;

/** Surprise from which an anomaly of a metric that says "the data is broken" closes the gate: one in a million. */
const criticalSurprise = 6;

/** Half is gone, on the scale of counts. */
const half = Math.log(0.5);

/** 20 points more than expected, on the scale of shares: asin(sqrt(0.25)) - asin(sqrt(0.05)). */
const points = 0.3;

/** What a distance from what was expected does to the gate: closes it, or keeps one closed that it has closed. */
export type ClosesGate = (metric: string, away: number) => 'closes' | 'holds' | undefined;

/** A gate opens again when 70 % are there, or no more than 10 points are too many. */
const opens = { less: Math.log(0.7), more: 0.15 };

const byLoss = (away: number) => (away <= half ? 'closes' : away <= opens.less ? 'holds' : undefined);
const byShare = (away: number) => (away >= points ? 'closes' : away >= opens.more ? 'holds' : undefined);

/** Numbers of documents that close it. More documents than expected close no gate. */
const closesForDocuments: ClosesGate = (metric, away) => {
  if (metric === 'documents') return byLoss(away);
  return metric === 'unreadable' || metric === 'duplicates' ? byShare(away) : undefined;
};

/** Numbers of a dataset's partition that close it: rows that are gone, fields that are empty. */
export const closesForDatasets: ClosesGate = (metric, away) => {
  if (metric === 'rows') return byLoss(away);
  return metric.startsWith('nulls ') ? byShare(away) : undefined;
};

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

function when(at: number): string {
  const date = new Date(at);
  return `${weekdays[date.getUTCDay()]} ${date.toISOString().slice(11, 13)}:00`;
}

/** What a finding says of the past that it is judged by. */
export interface Past {
  readonly count: number;
  /** ISO 8601. */
  readonly since: string;
  /** What was counted: "checks". */
  readonly of: string;
  /** Where the numbers are from, " in 2026-11-24T02"; empty of a whole. */
  readonly where: string;
}

function history({ count, since, of }: Past, at: number): string {
  const days = Math.max(1, Math.round((at - Date.parse(since)) / 86_400_000));
  return `from ${count} ${of} of ${days} day${days === 1 ? '' : 's'}`;
}

/** The code of a finding about a metric, `UNUSUAL_MEAN_LENGTH` for instance. */
export function anomalyCode(metric: string): string {
  const [kind = ''] = metric.split(' ');
  return `UNUSUAL_${kind.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** A mix that was judged, and how a finding calls it. */
export interface NamedMix {
  readonly code: string;
  /** "scripts". */
  readonly of: string;
  /** As in a finding. */
  readonly metric?: string;
  readonly mix: JudgedMix | undefined;
}

/** What was judged at one time. */
export interface Looked {
  readonly judged: readonly Judged[];
  readonly mixes: readonly NamedMix[];
  /** Milliseconds. */
  readonly at: number;
  readonly closes: ClosesGate;
}

/** What is looked for most, beside 1 of every other number: rows that are missing; their bytes say the same once more. */
const weights: Readonly<Record<string, number>> = { documents: 8, rows: 8, bytes: 0.1 };

/** Of the chance that a count is told by mistake this part is spent on too many, which closes no gate, and the rest on too few. */
const tooMany = 0.05;

/** A surprise counts both directions; a weight of the one that it has is twice the part that is spent on it. */
function weightOf({ metric: { name }, value, judgement }: Judged): number {
  const own = weights[name];
  if (own === undefined) return 1;
  return own * 2 * (value > judgement.expected ? tooMany : 1 - tooMany);
}

/** An index below this is no change worth telling, however certain it is (usual reading of the index). */
const stabilityFloor = 0.1;

function findingOf({ metric, value, judgement }: Judged, past: Past, { at, closes }: Looked): Finding {
  const { expected, low, high, surprise } = judgement;
  const shown = (at: number) => metric.show(metric.back(at));
  const critical = closes(metric.name, value - expected) === 'closes' && surprise >= criticalSurprise;
  return {
    check: 'anomalies',
    code: anomalyCode(metric.name),
    metric: metric.name,
    severity: critical ? 'critical' : 'warning',
    sentence: `${shown(value)} ${metric.noun}${past.where}, expected ${shown(low)} to ${shown(high)} for a ${when(at)}, ${history(past, at)}`,
  };
}

/** What of the numbers and mixes of one look is unlike the past, under false-discovery control over all of them. */
export function reportAnomalies(looked: Looked, past: Past): Finding[] {
  const { judged, mixes, at, closes } = looked;
  const surprises = [
    ...judged.map(({ judgement }) => judgement.surprise),
    ...mixes.map(({ mix }) => mix?.surprise ?? 0),
  ];
  const reported = significant(surprises, discoveryRate, [...judged.map(weightOf), ...mixes.map(() => 1)]);
  // Kept closed by what closed it, however little that is news.
  const holding = judged
    .filter(({ metric, value, judgement }) => {
      const does = closes(metric.name, value - judgement.expected);
      return does !== undefined && !judgement.learning;
    })
    .map((each): Finding => ({ ...findingOf(each, past, looked), severity: 'critical', holds: true }));
  const numbers = judged
    .filter((_, index) => reported[index])
    .map((each) => ({ news: each.judgement.news, finding: findingOf(each, past, looked) }))
    // What closes the gate is found as long as it lasts; what is only unusual is told when it begins.
    .filter(({ news, finding }) => news || finding.severity === 'critical')
    .map(({ finding }) => finding);
  const moved = mixes.flatMap(({ code, of, metric, mix }, index): Finding[] => {
    if (!mix?.news || !reported[judged.length + index] || mix.stability.index < stabilityFloor) return [];
    const { stability } = mix;
    const sentence = `the mix of ${of}${past.where} has moved (population stability index ${stability.index.toFixed(2)}): ${stability.largest}, ${history(past, at)}`;
    return [
      {
        check: 'anomalies',
        code,
        ...(metric === undefined ? {} : { metric }),
        severity: 'warning',
        sentence,
      },
    ];
  });
  const closing = new Set(numbers.filter(({ severity }) => severity === 'critical').map(({ code }) => code));
  return [...numbers, ...moved, ...holding.filter(({ code }) => !closing.has(code))];
}

/** What is unlike the tenant's own past; `before` is the past without this profile, `at` in milliseconds. */
export function checkAnomalies(
  before: Baseline | undefined,
  {
    judged,
    mix,
    at,
  }: {
    readonly judged: readonly Judged<MetricName>[];
    readonly mix: JudgedMix | undefined;
    readonly at: number;
  },
): Finding[] {
  if (!before || before.count < learningCount) return [];
  const mixes = [{ code: 'UNUSUAL_SCRIPTS', of: 'scripts', mix }];
  const { count, since } = before;
  return reportAnomalies(
    { judged, mixes, at, closes: closesForDocuments },
    { count, since, of: 'checks', where: '' },
  );
}
