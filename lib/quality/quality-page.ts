import type { Block, LinesBlock, Report, Section, Tone } from '../reports/blocks.ts';
import { anomalyCode } from './anomalies.ts';
import type { DatasetContract } from './datasets/contract.ts';
import { datasetSections } from './datasets/dataset-sections.ts';
import type { PartitionEntry } from './datasets/memory.ts';
import type { Metric } from './follow.ts';
import { type MetricName, metrics } from './metrics.ts';
import type { Profile } from './profile.ts';
import type { Rules } from './rules.ts';
import type { GateStanding, QualityHistoryEntry, VerdictName } from './verdict.ts';

/** What a tenant's page is made of. */
export interface QualityPage {
  readonly tenantId: string;
  readonly standing: GateStanding;
  /** Why the gate is closed; absent when it is open. */
  readonly because?: string;
  readonly rules: Rules;
  /** Judgements of new data, newest first. */
  readonly history: readonly QualityHistoryEntry[];
  /** Its dataset, where it has one: the contract, and judgements of partitions, newest first. */
  readonly dataset?: { readonly contract: DatasetContract; readonly partitions: readonly PartitionEntry[] };
  /** ISO 8601. */
  readonly madeAt: string;
}

/** Findings that a chart marks beside the anomalies of its metric: a rule says how large the number may be. */
const ruleCodes: Readonly<Partial<Record<MetricName, string>>> = {
  documents: 'TOO_FEW_DOCUMENTS',
  unreadable: 'UNREADABLE',
  empty: 'EMPTY',
  duplicates: 'DUPLICATES',
};

const tones: Readonly<Record<VerdictName, Tone>> = {
  passed: 'good',
  learning: 'neutral',
  warning: 'warning',
  critical: 'critical',
  'no-data': 'warning',
};

const day = 86_400_000;

const when = (instant: string) => `${instant.slice(0, 10)} ${instant.slice(11, 19)}`;

function limitOf(metric: MetricName, rules: Rules): LinesBlock['limits'] {
  const { minDocuments, maxUnreadable, maxEmpty, maxDuplicates } = rules;
  const bounds: Partial<Record<MetricName, { name: string; value: number }>> = {
    documents: { name: 'at least', value: minDocuments },
    unreadable: { name: 'at most', value: maxUnreadable },
    empty: { name: 'at most', value: maxEmpty },
    duplicates: { name: 'at most', value: maxDuplicates },
  };
  const bound = bounds[metric];
  return bound ? [bound] : [];
}

const numberOf = ({ read, back }: Metric<Profile>, { profile }: QualityHistoryEntry): number | null => {
  const found = read(profile);
  return found ? back(found.value) : null;
};

/** A metric's number in each judgement, what was expected of it, and what was found about it. */
function trend(
  metric: Metric<Profile, MetricName>,
  entries: readonly QualityHistoryEntry[],
  rules: Rules,
): LinesBlock {
  const codes = new Set([anomalyCode(metric.name), ruleCodes[metric.name]]);
  const points = entries.map((entry) => ({
    at: Date.parse(entry.checkedAt),
    value: numberOf(metric, entry),
    expected: entry.expected?.[metric.name],
    findings: entry.findings.filter(({ code }) => codes.has(code)),
  }));
  const passed = points.some(({ findings }) => findings.length > 0);
  return {
    kind: 'lines',
    title: metric.noun,
    lines: [{ name: metric.noun, points }],
    band: {
      name: 'expected (99 % of usual values)',
      points: points.map(({ at, expected }) => ({
        at,
        low: expected?.[0] ?? null,
        high: expected?.[1] ?? null,
      })),
    },
    marks: points.flatMap(({ at, value, findings }) =>
      findings.map(({ severity, sentence }) => ({
        at,
        value: value ?? 0,
        label: `${when(new Date(at).toISOString())}: ${sentence}`,
        tone: severity,
      })),
    ),
    // A rule that the data keeps clear of would press the line flat.
    limits: passed ? (limitOf(metric.name, rules) ?? []) : [],
    show: metric.show,
  };
}

/** Shares of the scripts that were most often seen, four at most. */
function scriptMix(entries: readonly QualityHistoryEntry[]): LinesBlock {
  const totals = new Map<string, number>();
  for (const { profile } of entries)
    for (const [name, letters] of Object.entries(profile.scripts))
      totals.set(name, (totals.get(name) ?? 0) + letters);
  const names = [...totals].toSorted(([, a], [, b]) => b - a).slice(0, 4);
  const shareIn = ({ profile: { scripts } }: QualityHistoryEntry, name: string) => {
    const letters = Object.values(scripts).reduce((sum, each) => sum + each, 0);
    return letters === 0 ? null : (scripts[name] ?? 0) / letters;
  };
  return {
    kind: 'lines',
    title: 'scripts (share of letters)',
    lines: names.map(([name]) => ({
      name,
      points: entries.map((entry) => ({ at: Date.parse(entry.checkedAt), value: shareIn(entry, name) })),
    })),
    marks: entries.flatMap((entry) =>
      entry.findings
        .filter(({ code }) => code === 'UNUSUAL_SCRIPTS')
        .map(({ sentence, severity }) => ({
          at: Date.parse(entry.checkedAt),
          value: shareIn(entry, names[0]?.[0] ?? '') ?? 0,
          label: sentence,
          tone: severity,
        })),
    ),
    fromZero: true,
    show: (share) => `${(100 * share).toFixed(0)} %`,
  };
}

function facts({ standing: { verdict, override }, because, history }: QualityPage): Block {
  const newest = history[0]?.profile;
  return {
    kind: 'facts',
    facts: [
      {
        name: 'Gate',
        value: because === undefined ? 'open' : `closed: ${because}`,
        tone: because === undefined ? 'good' : 'critical',
      },
      verdict
        ? {
            name: 'Verdict',
            value: `${verdict.verdict}, checked ${when(verdict.checkedAt)}, so since ${when(verdict.since)}`,
            tone: tones[verdict.verdict],
          }
        : { name: 'Verdict', value: 'none: no check has looked at this data yet' },
      ...(override
        ? [
            {
              name: 'Decision',
              value: `opened ${when(override.decidedAt)} until ${when(override.expiresAt)}: ${override.reason}`,
            },
          ]
        : []),
      ...(newest
        ? [
            {
              name: 'Newest document',
              value: newest.newestArrival === null ? 'none' : when(newest.newestArrival),
            },
            {
              name: 'Objects',
              value: `${newest.files}${newest.sampled ? ' (read in part: they are larger than the check reads)' : ''}`,
            },
          ]
        : []),
    ],
  };
}

function judgements(history: readonly QualityHistoryEntry[]): Section {
  const told = history.filter(({ findings }) => findings.length > 0);
  return {
    heading: 'Judgements with findings, newest first',
    blocks: [
      {
        kind: 'table',
        head: ['Checked', 'Verdict', 'Finding'],
        rows: told
          .slice(0, 100)
          .map(({ checkedAt, verdict, findings }) => [
            when(checkedAt),
            verdict,
            findings.map(({ severity, sentence }) => `${severity}: ${sentence}`).join('; '),
          ]),
      },
      ...(told.length > 100
        ? [{ kind: 'text', text: `And ${told.length - 100} before these.` } as const]
        : []),
    ],
  };
}

/** The page of one tenant's data: what holds now, each metric over time beside what was expected, and what was found. */
export function qualityPage(page: QualityPage): Report {
  const { tenantId, standing, rules, history, dataset, madeAt } = page;
  const entries = history.toReversed();
  const [first, last] = [entries[0], entries.at(-1)];
  const days =
    first && last ? Math.ceil((Date.parse(last.checkedAt) - Date.parse(first.checkedAt)) / day) : 0;
  return {
    title: `Data quality of ${tenantId}`,
    madeAt: when(madeAt),
    blocks: [facts(page)],
    sections: [
      {
        heading: 'Findings of the newest check',
        blocks: [
          {
            kind: 'table',
            head: ['Check', 'Severity', 'Finding'],
            rows: (standing.verdict?.findings ?? []).map(({ check, severity, code, sentence }) => [
              check,
              severity,
              `${sentence} (${code})`,
            ]),
          },
        ],
      },
      {
        heading: 'Numbers over time',
        blocks: [
          {
            kind: 'text',
            text:
              entries.length === 0
                ? 'No judgement is on record yet.'
                : `${entries.length} judgements of new data in ${Math.max(1, days)} days. Data that has not changed is not judged again.`,
          },
          ...(entries.length === 0
            ? []
            : [...metrics.map((metric) => trend(metric, entries, rules)), scriptMix(entries)]),
        ],
      },
      judgements(history),
      ...(dataset ? datasetSections(dataset.contract, dataset.partitions) : []),
    ],
  };
}
