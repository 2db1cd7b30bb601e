import { expiredPoints } from '../../backup/retention.ts';
import type { BackupSettings } from '../../backup/settings.ts';
import { requireVerified } from '../../backup/verification.ts';
import type { BackupRepository, Removed } from '../../ports/backup/repository.ts';
import type { RestoreTarget } from '../../ports/backup/target.ts';
import type { Clock } from '../../ports/clock.ts';
import { verifyPoint } from './restore-point.ts';

/** What pruning backups needs. */
export interface PruneParts {
  readonly repository: BackupRepository;
  /** Where the databases of the newest point are opened. */
  readonly target: RestoreTarget;
  readonly clock: Clock;
}

/**
 * Reads the newest point back, and then removes points that its policy lets go. A newest point that is damaged removes nothing:
 * `RESTORE_UNVERIFIED`, `BACKUP_CORRUPT`.
 */
export async function pruneBackups(
  { repository, target, clock }: PruneParts,
  policy: Pick<BackupSettings, 'keepDays' | 'keepAtLeast'>,
  dryRun: boolean,
): Promise<Removed> {
  const newest = await repository.newest();
  if (!newest) return { points: 0, pieces: 0, bytes: 0 };
  const verified = new Set(await repository.verified());
  if (!verified.has(newest.id)) {
    requireVerified(newest.id, await verifyPoint({ repository, target }, newest));
    verified.add(newest.id);
    if (!dryRun) await repository.noteVerified(newest.id);
  }
  const points = await repository.points();
  const whole = points.flatMap((point) => ('manifest' in point ? [point.manifest] : []));
  const expired = expiredPoints(whole, verified, policy, clock.now());
  const gone = new Set(expired);
  const oldest = whole.find(({ id }) => !gone.has(id))?.id ?? newest.id;
  // Ids sort by time: what cannot be read, and is older than all that stays, is past its time as well.
  const damaged = points.filter((point) => 'fault' in point && point.id < oldest).map(({ id }) => id);
  const removed = [...expired, ...damaged];
  return dryRun ? { points: removed.length, pieces: 0, bytes: 0 } : repository.remove(removed);
}
