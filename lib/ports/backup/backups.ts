import type { PointSummary } from '../../backup/manifest.ts';

/** Backups of the control plane that this is asked of. */
export interface Backups {
  /** Makes a point now; everything that was acknowledged before the call is in it. Errors: lib/operations/backup/run-backup.ts. */
  run(): Promise<PointSummary>;
}
