import { closesForDatasets, reportAnomalies } from '../anomalies.ts';
import { learningCount } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { expectedOf, follow } from '../follow.ts';
import { followMix, type Mix } from '../mix.ts';
import type { DatasetContract } from './contract.ts';
import { type DatasetBaseline, wholeDataset } from './memory.ts';
import { numbersOf, type PartitionLook } from './numbers.ts';

/** A partition that is judged against those before it. */
export interface JudgedPartition extends PartitionLook {
  readonly name: string;
  /** When it begins, in milliseconds; when it is judged, of a dataset without partitions. */
  readonly at: number;
}

/** What came of it. */
export interface FollowedPartition {
  readonly findings: readonly Finding[];
  readonly expected: Readonly<Record<string, readonly [number, number]>>;
  readonly baseline: DatasetBaseline;
}

/** Judges one partition against the dataset's own past, and learns from it. */
export function followPartition(
  before: DatasetBaseline | undefined,
  contract: DatasetContract,
  partition: JudgedPartition,
): FollowedPartition {
  const { name, at, profile } = partition;
  const { judged, detectors } = follow(before?.detectors ?? {}, numbersOf(contract), partition, at);
  const mixes: Record<string, Mix> = {};
  const moved = contract.fields.flatMap(({ name: field, category }) => {
    const counts = category ? profile.categories[field] : undefined;
    if (!counts) return [];
    const { judged: mix, mix: learnt } = followMix(before?.mixes[field], counts, { at, unit: 1 });
    mixes[field] = learnt;
    return [{ code: 'UNUSUAL_MIX', of: JSON.stringify(field), metric: `mix ${field}`, mix }];
  });
  const past = {
    count: before?.count ?? 0,
    since: before?.since ?? new Date(at).toISOString(),
    of: name === wholeDataset ? 'checks' : 'partitions',
    where: name === wholeDataset ? '' : ` in ${name}`,
  };
  const findings =
    past.count < learningCount
      ? []
      : reportAnomalies({ judged, mixes: moved, at, closes: closesForDatasets }, past).filter(
          // A partition keeps its own findings.
          ({ holds }) => !holds,
        );
  const kept: Record<string, (typeof detectors)[string]> = { ...before?.detectors, ...detectors };
  return {
    findings,
    expected: expectedOf(judged) as FollowedPartition['expected'],
    baseline: {
      detectors: kept as DatasetBaseline['detectors'],
      mixes: { ...before?.mixes, ...mixes },
      count: past.count + 1,
      since: past.since,
      until: new Date(at).toISOString(),
    },
  };
}
