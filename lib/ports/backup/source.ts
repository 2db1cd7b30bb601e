import type { DatabaseCopy } from '../../backup/manifest.ts';

/** A database as it was at the moment of the cut; task tokens are not in it. */
export interface CutDatabase extends Pick<DatabaseCopy, 'name' | 'bytes' | 'schema' | 'tables'> {
  content(): AsyncIterable<Uint8Array>;
}

/** An object as it is found after the cut. */
export interface CutObject {
  /** `bucket/key`. */
  readonly key: string;
  readonly bytes: number;
  /** Changes whenever the object is written. */
  readonly stamp: string;
  /** `OBJECT_NOT_FOUND` (NotFound) when it was deleted since. */
  content(): AsyncIterable<Uint8Array>;
}

/** A state at one moment. */
export interface Cut {
  readonly lineage: string;
  readonly epoch: number;
  /** When, ISO 8601: everything that was acknowledged before is in the databases. */
  readonly takenAt: string;
  readonly databases: readonly CutDatabase[];
  /** Objects, and prefixes (they end in "/"), as `bucket/key`, that model records name. */
  readonly pointers: readonly string[];
  /** Every object, in any order. Records are written after what they name: none that they name is missing. */
  objects(): AsyncIterable<CutObject>;
}

/** What is backed up. */
export interface BackupSource {
  /** Where it is, for people. */
  readonly place: string;
  /** Cuts all databases at the same moment, without keeping their writer, and gives the cut to `work`. */
  withCut<T>(work: (cut: Cut) => Promise<T>): Promise<T>;
}
