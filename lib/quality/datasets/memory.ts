import type { DetectorState } from '../detector.ts';
import type { Finding } from '../finding.ts';
import type { Mix } from '../mix.ts';
import type { DatasetProfile } from './profile.ts';

/** Name of the one partition of a dataset that has none. */
export const wholeDataset = 'all';

/** What is known of one partition without looking at it again. */
export interface KnownPartition {
  /** Digest of the objects that were looked at. */
  readonly digest: string;
  readonly rows: number;
  /** Event time of its newest row, ISO 8601. */
  readonly newestEvent: string | null;
  /** What its contract does not allow. */
  readonly findings: readonly Finding[];
}

/** What is known of how a dataset's partitions usually look. */
export interface DatasetBaseline {
  /** By name of the number: `rows`, `nulls amount`, ... */
  readonly detectors: Readonly<Record<string, DetectorState>>;
  /** By name of the category. */
  readonly mixes: Readonly<Record<string, Mix>>;
  /** Partitions that it has learnt from. */
  readonly count: number;
  /** Start of the first and of the last of them, ISO 8601. */
  readonly since: string;
  readonly until: string;
}

/** From the one instant until before the other, ISO 8601. */
export interface Window {
  readonly from: string;
  readonly to: string;
}

/** The state from which the next check of a dataset goes on. */
export interface DatasetMemory {
  readonly tenantId: string;
  readonly checkedAt: string;
  /** Of the contract; a dataset at another place is another one. */
  readonly location: string;
  /** The first partition that was ever seen. */
  readonly first: string | null;
  /** By name; those that checks look back to. */
  readonly partitions: Readonly<Record<string, KnownPartition>>;
  readonly baseline?: DatasetBaseline;
  /** Windows whose partitions teach nothing. */
  readonly excluded: readonly Window[];
  /** Partitions in it are looked at again, once. */
  readonly backfill?: Window;
}

/** One judgement of one partition; a later one of the same partition takes its place. */
export interface PartitionEntry {
  readonly tenantId: string;
  readonly partition: string;
  /** When it begins, ISO 8601; when it was judged, of a dataset without partitions. */
  readonly at: string;
  /** When it was judged, ISO 8601. */
  readonly asOf: string;
  readonly digest: string;
  readonly findings: readonly Finding[];
  readonly profile: DatasetProfile;
  /** Hours from its end until its newest file arrived. */
  readonly lateHours: number | null;
  /** What its numbers were expected to be, by name. */
  readonly expected: Readonly<Record<string, readonly [number, number]>>;
}
