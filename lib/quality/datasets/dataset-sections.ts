import type { Block, LinesBlock, Section } from '../../reports/blocks.ts';
import type { Finding } from '../finding.ts';
import type { Metric } from '../follow.ts';
import type { DatasetContract } from './contract.ts';
import { type PartitionEntry, wholeDataset } from './memory.ts';
import { numbersOf, type PartitionLook } from './numbers.ts';

/** Values of a category that have a line of their own, the most frequent ones. */
const mostValues = 4;

/** Rows of the table of partitions. */
const mostRows = 100;

const when = (instant: string) => `${instant.slice(0, 10)} ${instant.slice(11, 19)}`;

const nameOf = ({ partition, asOf }: PartitionEntry) => (partition === wholeDataset ? when(asOf) : partition);

const lengths = { hour: 3_600_000, date: 86_400_000, none: Number.POSITIVE_INFINITY } as const;

/** Times in the middle of gaps between partitions: a line that went through them would show what was never there. */
function gapsOf(entries: readonly PartitionEntry[], { partitioning }: DatasetContract): number[] {
  const times = entries.map(({ at }) => Date.parse(at));
  return times.flatMap((time, index) => {
    const before = times[index - 1];
    return before !== undefined && time - before > 1.5 * lengths[partitioning] ? [(before + time) / 2] : [];
  });
}

const withGaps = <P extends { readonly at: number }>(
  points: readonly P[],
  gaps: readonly number[],
  gap: (at: number) => P,
) => [...points, ...gaps.map(gap)].sort((a, b) => a.at - b.at);

function marksOf(
  entries: readonly PartitionEntry[],
  metric: string,
  numberIn: (entry: PartitionEntry) => number | null,
): NonNullable<LinesBlock['marks']> {
  return entries.flatMap((entry) =>
    entry.findings
      .filter((finding: Finding) => finding.metric === metric)
      .map(({ sentence, severity }) => ({
        at: Date.parse(entry.at),
        value: numberIn(entry) ?? 0,
        label: `${nameOf(entry)}: ${sentence}`,
        tone: severity,
      })),
  );
}

/** A number in each partition, what was expected of it, and what was found about it. */
function trend(
  { name, noun, read, back, show }: Metric<PartitionLook>,
  entries: readonly PartitionEntry[],
  contract: DatasetContract,
): LinesBlock {
  const numberIn = (entry: PartitionEntry) => {
    const found = read(entry);
    return found ? back(found.value) : null;
  };
  // What a sentence calls "as mean of ..." stands alone here.
  const title = noun.replace(/^as /, '');
  const gaps = gapsOf(entries, contract);
  const marks = marksOf(entries, name, numberIn);
  // A rule that the data keeps clear of would press the line flat.
  const limit =
    marks.length === 0
      ? undefined
      : name === 'rows'
        ? { name: 'at least', value: contract.minRows }
        : name.startsWith('nulls ')
          ? { name: 'at most', value: contract.maxNulls }
          : undefined;
  const points = entries.map((entry) => ({ at: Date.parse(entry.at), value: numberIn(entry) }));
  const band = entries.map(({ at, expected }) => {
    const [low = null, high = null] = expected[name] ?? [];
    return { at: Date.parse(at), low, high };
  });
  return {
    kind: 'lines',
    title,
    lines: [{ name: title, points: withGaps(points, gaps, (at) => ({ at, value: null })) }],
    band: {
      name: 'expected (99 % of usual values)',
      points: withGaps(band, gaps, (at) => ({ at, low: null, high: null })),
    },
    marks,
    limits: limit ? [limit] : [],
    show,
  };
}

/** Shares of a category's most frequent values. */
function mixOf(field: string, entries: readonly PartitionEntry[], contract: DatasetContract): LinesBlock {
  const totals = new Map<string, number>();
  const countsOf = ({ profile }: PartitionEntry) => profile.categories[field] ?? {};
  for (const entry of entries)
    for (const [value, rows] of Object.entries(countsOf(entry)))
      totals.set(value, (totals.get(value) ?? 0) + rows);
  const values = [...totals].toSorted(([, a], [, b]) => b - a).slice(0, mostValues);
  const shareIn = (entry: PartitionEntry, value: string) => {
    const counts = countsOf(entry);
    const all = Object.values(counts).reduce((sum, rows) => sum + rows, 0);
    return all === 0 ? null : (counts[value] ?? 0) / all;
  };
  const gaps = gapsOf(entries, contract);
  const lineOf = (value: string) => ({
    name: value === '' ? '(empty)' : value,
    points: withGaps(
      entries.map((entry) => ({ at: Date.parse(entry.at), value: shareIn(entry, value) })),
      gaps,
      (at) => ({ at, value: null }),
    ),
  });
  return {
    kind: 'lines',
    title: `values of ${JSON.stringify(field)} (share of rows)`,
    lines: values.map(([value]) => lineOf(value)),
    marks: marksOf(entries, `mix ${field}`, (entry) => shareIn(entry, values[0]?.[0] ?? '')),
    fromZero: true,
    show: (share) => `${(100 * share).toFixed(0)} %`,
  };
}

function partitionTable(entries: readonly PartitionEntry[]): Block[] {
  const told = entries.filter(({ findings }) => findings.length > 0).toReversed();
  return [
    {
      kind: 'table',
      caption: 'Partitions with findings, newest first',
      head: ['Partition', 'Judged', 'Rows', 'Finding'],
      rows: told
        .slice(0, mostRows)
        .map((entry) => [
          nameOf(entry),
          when(entry.asOf),
          entry.profile.rows,
          entry.findings.map(({ severity, sentence }) => `${severity}: ${sentence}`).join('; '),
        ]),
    },
    ...(told.length > mostRows
      ? [{ kind: 'text', text: `And ${told.length - mostRows} before these.` } as const]
      : []),
  ];
}

/**
 * What a page says of a tenant's dataset: its contract, each number of its partitions over time beside what was expected, anomalies marked,
 * and the partitions with findings. `history` is the judgements of partitions, newest first.
 */
export function datasetSections(contract: DatasetContract, history: readonly PartitionEntry[]): Section[] {
  const { location, format, partitioning, minRows, maxAgeHours } = contract;
  const entries = history.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const [first, last] = [entries[0], entries.at(-1)];
  const categories = contract.fields.filter(({ category }) => category);
  return [
    {
      heading: 'Dataset',
      blocks: [
        {
          kind: 'facts',
          facts: [
            { name: 'Location', value: location },
            {
              name: 'Contract',
              value: `${format}, ${partitioning === 'none' ? 'not partitioned' : `partitioned by ${partitioning}`}, at least ${minRows} rows${maxAgeHours === undefined ? '' : `, at most ${maxAgeHours} hours old`}`,
            },
            {
              name: 'Judged',
              value:
                first && last
                  ? `${entries.length} ${partitioning === 'none' ? 'times' : 'partitions'}, ${nameOf(first)} to ${nameOf(last)}`
                  : 'nothing yet',
            },
          ],
        },
        ...partitionTable(entries),
      ],
    },
    ...(entries.length === 0
      ? []
      : [
          {
            heading: 'Numbers of the dataset over time',
            blocks: [
              ...numbersOf(contract)
                .filter(({ read }) => entries.some((entry) => read(entry) !== undefined))
                .map((metric) => trend(metric, entries, contract)),
              ...categories.map(({ name }) => mixOf(name, entries, contract)),
            ],
          },
        ]),
  ];
}
