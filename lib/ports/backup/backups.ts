import type { PointSummary } from '../../backup/manifest.ts';
import type { Removed } from './repository.ts';

/** What a pruning removed, or would remove. */
export interface Pruned {
  /** Points and the content that only they had. */
  readonly backups: Removed;
  /** Records of the state and the objects that belonged to them. */
  readonly records: {
    readonly models: number;
    readonly runs: number;
    readonly executions: number;
    readonly objects: number;
    readonly bytes: number;
    readonly jobFolders: number;
  };
}

/** Backups of the control plane that this is asked of. */
export interface Backups {
  /** Makes a point now; everything that was acknowledged before the call is in it. Errors: lib/operations/backup/run-backup.ts. */
  run(): Promise<PointSummary>;
  /**
   * Verifies the newest point, and then removes points, records and objects whose time is over. Errors:
   * lib/operations/backup/prune-backups.ts.
   */
  prune(request: { readonly dryRun: boolean }): Promise<Pruned>;
}
