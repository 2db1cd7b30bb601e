import type { Manifest } from '../../../lib/backup/manifest.ts';
import type { FileBackupRepository } from '../file-repository.ts';
import type { DrillPlace } from './processes.ts';
import type { RoundParts } from './round.ts';

/** What every fault is provoked in: a repository with points, and folders of its own for states. */
export interface Ground {
  readonly parts: RoundParts;
  readonly repository: FileBackupRepository;
  /** The newest point, and the one before it. */
  readonly newest: Manifest;
  readonly before: Manifest;
}

/** How a fault is provoked; undefined when it held, otherwise what went wrong. */
export interface Case {
  readonly fault: string;
  readonly what: string;
  provoke(ground: Ground, into: DrillPlace): Promise<string | undefined>;
}
