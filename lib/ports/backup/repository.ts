import type { Manifest, Piece } from '../../backup/manifest.ts';
import type { Point } from '../../backup/points.ts';

/** Whose points a repository keeps. */
export interface Tenure {
  /** Names the records across restores. */
  readonly lineage: string;
  /** The highest epoch that was restored from it. */
  readonly epoch: number;
}

/**
 * Where backups are kept: pieces of content named by their checksums, and points that consist of them. Errors: `BACKUP_DIR_UNWRITABLE`,
 * `BACKUP_DIR_FOREIGN` (not a repository, or of other records), `DISK_FULL`.
 */
export interface BackupRepository {
  /** Where it is, for people. */
  readonly place: string;
  /** Whether a path is on the same disk. */
  isOnDiskOf(path: string): boolean;
  /** Whose points these are; undefined while nothing was backed up. */
  tenure(): Promise<Tenure | undefined>;
  /**
   * Makes the repository ready for a backup of these records, and removes what a backup left that was killed.
   * `BACKUP_DIR_FOREIGN` when it keeps others', `STATE_SUPERSEDED` when they were restored with a higher epoch.
   */
  open(tenure: Tenure): Promise<void>;
  /** Claims an epoch for a restored state, which nobody else can claim then: `RESTORE_OVERTAKEN`. It is the repository's from now on. */
  raiseEpoch(tenure: Tenure): Promise<void>;
  /** Points, oldest first; one whose manifest cannot be read says why. */
  points(): Promise<Point[]>;
  /** The newest point that can be read. */
  newest(): Promise<Manifest | undefined>;
  /** Keeps content; what is there already is not written again. */
  keep(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Piece>;
  /** Whether content is there with its length; its bytes are not read. */
  has(piece: Piece): Promise<boolean>;
  /** Reads content back; `BACKUP_CORRUPT` when it is missing, and after its last byte when it does not match. */
  read(piece: Piece): AsyncIterable<Uint8Array>;
  /** Records that a point was read back and found whole. */
  noteVerified(id: string): Promise<void>;
  /** Ids of points that were. */
  verified(): Promise<ReadonlySet<string>>;
  /**
   * Removes points, then the content that no other point has. While a point cannot be read, what it consists of is not known, and
   * all content stays.
   */
  remove(ids: readonly string[]): Promise<Removed>;
  /** Removes what was kept since `open`, when no point comes of it. */
  abandon(): Promise<void>;
  /** Makes a point, everything before its manifest being on the disk. */
  commit(manifest: Manifest): Promise<void>;
}

/** What was removed. */
export interface Removed {
  readonly points: number;
  readonly pieces: number;
  readonly bytes: number;
}
