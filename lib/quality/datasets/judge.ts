import { isDeepStrictEqual } from 'node:util';
import { isExcluded } from '../baseline.ts';
import type { Finding } from '../finding.ts';
import { checkDatasetFreshness, checkMissing, checkRows, critical } from './checks.ts';
import type { DatasetContract } from './contract.ts';
import { followPartition } from './follow-partition.ts';
import type { ProfiledDataset } from './jobs.ts';
import {
  type DatasetMemory,
  type KnownPartition,
  type PartitionEntry,
  type Window,
  wholeDataset,
} from './memory.ts';
import { endOf, lookBack, startOf } from './partitions.ts';
import { type ListedPartition, mostAtOnce } from './plan.ts';

/** What the listing of a dataset says, and which of its partitions a job looks at. */
export interface DatasetLook {
  readonly contract: DatasetContract;
  readonly partitions: Readonly<Record<string, Pick<ListedPartition, 'digest' | 'newestArrival'>>>;
  readonly asked: readonly string[];
}

/** Everything that is known of one dataset at one check. */
export interface DatasetState {
  readonly tenantId: string;
  readonly checkedAt: string;
  readonly look: DatasetLook;
  readonly memory: DatasetMemory | undefined;
  /** What the job found; absent when none was asked for, or it failed. */
  readonly found: ProfiledDataset | undefined;
}

type Partition = ProfiledDataset['partitions'][number];

/** Partitions of which a verdict names the findings; of the others it says how many there are. */
const mostNamed = 3;

/** Whether a job was asked for and left nothing: the check itself failed, which says nothing about the data. */
export function isUnlooked({ look, found }: DatasetState): boolean {
  return look.asked.length > 0 && (found === undefined || found.fault !== undefined);
}

const within = (name: string, sentence: string) =>
  name === wholeDataset ? sentence : `${name}: ${sentence}`;

function findingsOf({ name, profile }: Partition, contract: DatasetContract): Finding[] {
  return checkRows(profile, contract).map((finding) => ({
    ...finding,
    sentence: within(name, finding.sentence),
  }));
}

/** What is known of the partitions that are there, with what was found now. */
function knownOf({ look, memory, found }: DatasetState): Record<string, KnownPartition> {
  const known = Object.entries(memory?.partitions ?? {}).filter(([name]) => name in look.partitions);
  const fresh = (found?.partitions ?? []).map((partition): [string, KnownPartition] => [
    partition.name,
    {
      digest: partition.digest,
      rows: partition.profile.rows,
      newestEvent: partition.profile.newestEvent,
      findings: findingsOf(partition, look.contract),
    },
  ]);
  return Object.fromEntries([...known, ...fresh]);
}

/** What of a dataset is missing or broken: rows and files of every partition that checks look back to, and partitions. */
export function judgeCompleteness(state: DatasetState): Finding[] {
  const { look, memory, checkedAt } = state;
  const { contract } = look;
  const names = Object.keys(look.partitions);
  const first = memory?.first ?? null;
  if (names.length === 0 && first === null)
    return [critical('DATASET_EMPTY', `there is no data at ${contract.location}`)];
  const missing =
    contract.partitioning === 'none' && names.length === 0
      ? [critical('DATASET_EMPTY', `there is no data at ${contract.location} any more`)]
      : checkMissing(names, contract, { first, now: Date.parse(checkedAt) });
  const broken = Object.values(knownOf(state))
    .map(({ findings }) => findings.filter(({ check }) => check === 'completeness'))
    .filter((findings) => findings.length > 0);
  const more = broken.length - mostNamed;
  return [
    ...missing,
    ...broken.slice(-mostNamed).flat(),
    ...(more > 0 ? [critical('MORE_PARTITIONS', `${more} earlier partitions do not keep the contract`)] : []),
  ];
}

const latest = (times: readonly (string | null)[]): string | null =>
  times
    .filter((time) => time !== null)
    .sort()
    .at(-1) ?? null;

/** Whether a dataset is as young as its contract says. */
export function judgeFreshness(state: DatasetState): Finding[] {
  const { contract, partitions } = state.look;
  return checkDatasetFreshness(
    {
      newestEvent: latest(Object.values(knownOf(state)).map(({ newestEvent }) => newestEvent)),
      newestArrival: latest(Object.values(partitions).map(({ newestArrival }) => newestArrival)),
    },
    contract,
    Date.parse(state.checkedAt),
  );
}

/** What the check of one dataset leaves: findings, and what goes on record. */
export interface JudgedDataset {
  readonly findings: readonly Finding[];
  readonly memory: DatasetMemory;
  readonly entries: readonly PartitionEntry[];
  /** A partition was replaced or came late: what is usual has to be learnt again from the history. */
  readonly relearn: boolean;
  /** The memory says what the one on record says: there is nothing to write. */
  readonly same: boolean;
}

/** The partition as a judgement takes it. */
function lookOf({ name, profile }: Partition, { look, memory, checkedAt }: DatasetState) {
  const partitioned = name !== wholeDataset;
  const arrived = look.partitions[name]?.newestArrival;
  // Of one that was replaced the arrival says when that was.
  const again = memory?.partitions[name] !== undefined;
  const late = partitioned && !again && arrived !== undefined;
  return {
    name,
    profile,
    at: partitioned ? startOf(name) : Date.parse(checkedAt),
    lateHours: late ? Math.max(0, (Date.parse(arrived) - endOf(name)) / 3_600_000) : null,
  };
}

function keptOf(state: DatasetState, known: Record<string, KnownPartition>): Record<string, KnownPartition> {
  const { partitioning } = state.look.contract;
  if (partitioning === 'none') return known;
  const oldest = Date.parse(state.checkedAt) - lookBack[partitioning];
  return Object.fromEntries(Object.entries(known).filter(([name]) => startOf(name) >= oldest));
}

/** One partition beside the dataset's past, and the past with it. */
function judgePartition(
  partition: Partition,
  state: DatasetState,
  baseline: DatasetMemory['baseline'],
): { readonly entry: PartitionEntry; readonly learnt: DatasetMemory['baseline']; readonly late: boolean } {
  const { tenantId, checkedAt, look, memory } = state;
  const own = lookOf(partition, state);
  const rules = findingsOf(partition, look.contract);
  const followed = followPartition(baseline, look.contract, own);
  const late = own.name !== wholeDataset && baseline !== undefined && own.at <= Date.parse(baseline.until);
  const excluded = isExcluded(own.at, memory?.excluded ?? []);
  return {
    late,
    learnt: late || rules.length > 0 || excluded ? baseline : followed.baseline,
    entry: {
      tenantId,
      partition: own.name,
      at: new Date(own.at).toISOString(),
      asOf: checkedAt,
      digest: partition.digest,
      findings: [...rules, ...(excluded ? [] : followed.findings)],
      profile: own.profile,
      lateHours: own.lateHours,
      expected: followed.expected,
    },
  };
}

const isAnomaly = ({ check }: Finding) => check === 'anomalies';

/** Anomalies that close the gate stay with their partition: its data is there until it is replaced. */
const closing = (finding: Finding) => isAnomaly(finding) && finding.severity === 'critical';

/** What is left of a backfill after this look: all of it when the job failed, the rest when there were more partitions than one check looks at. */
function leftOf(state: DatasetState): Window | undefined {
  const { memory, look } = state;
  const { backfill } = memory ?? {};
  if (!backfill || isUnlooked(state)) return backfill;
  const last = look.asked.toSorted().at(-1);
  if (last === undefined || look.asked.length < mostAtOnce) return undefined;
  const from = new Date(endOf(last)).toISOString();
  return from < backfill.to ? { ...backfill, from } : undefined;
}

/**
 * Judges what a job found against the dataset's own past, oldest partition first, and learns from it. What breaks the contract, and what an
 * operator excluded, teaches nothing; one that was replaced or came late teaches in its place, when everything is learnt again.
 */
export function judgeAnomalies(state: DatasetState): JudgedDataset {
  const { tenantId, checkedAt, look, memory, found } = state;
  let { baseline } = memory ?? {};
  let again = false;
  const entries: PartitionEntry[] = [];
  for (const partition of (found?.partitions ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { entry, learnt, late } = judgePartition(partition, state, baseline);
    entries.push(entry);
    baseline = learnt;
    again ||= late;
  }
  const known = knownOf(state);
  for (const { partition, findings } of entries) {
    const own = known[partition];
    if (own) known[partition] = { ...own, findings: [...own.findings, ...findings.filter(closing)] };
  }
  const earlier = Object.entries(known).filter(([name]) =>
    entries.every(({ partition }) => partition !== name),
  );
  const { backfill: _, ...before } = memory ?? { excluded: [] };
  const backfill = leftOf(state);
  const next: DatasetMemory = {
    ...before,
    tenantId,
    checkedAt,
    location: look.contract.location,
    first: memory?.first ?? Object.keys(look.partitions).sort()[0] ?? null,
    partitions: keptOf(state, known),
    ...(baseline ? { baseline } : {}),
    ...(backfill ? { backfill } : {}),
  };
  return {
    entries,
    relearn: again,
    same: entries.length === 0 && isDeepStrictEqual({ ...next, checkedAt: memory?.checkedAt }, memory),
    findings: [
      ...earlier.flatMap(([, { findings }]) => findings.filter(isAnomaly)).slice(-mostNamed),
      ...entries.flatMap(({ findings }) => findings.filter(isAnomaly)),
    ],
    memory: next,
  };
}

/** What is usual, learnt again from a dataset's history, oldest first. */
export function relearn(
  history: readonly PartitionEntry[],
  contract: DatasetContract,
  excluded: readonly Window[],
): DatasetMemory['baseline'] {
  let baseline: DatasetMemory['baseline'];
  for (const { partition, at, profile, lateHours, findings } of history) {
    const broken = findings.some(({ check }) => check === 'completeness');
    if (broken || isExcluded(Date.parse(at), excluded)) continue;
    const own = { name: partition, at: Date.parse(at), profile, lateHours };
    baseline = followPartition(baseline, contract, own).baseline;
  }
  return baseline;
}
