import type { DatabaseSnapshot } from './resources.ts';
import type { RecoverySettings } from './settings.ts';

const dayMs = 86_400_000;

/**
 * Snapshots whose time is over. None goes unless something newer was restored and verified (`verifiedTo`, ISO 8601: the newest point
 * that a drill proved); count and age both hold; the newest snapshot that is not after the proven point stays, because the automated
 * backups that proved it roll on. `now` is in milliseconds.
 */
export function expiredSnapshots(
  snapshots: readonly DatabaseSnapshot[],
  { keepDays, keepAtLeast }: Pick<RecoverySettings, 'keepDays' | 'keepAtLeast'>,
  verifiedTo: string | undefined,
  now: number,
): DatabaseSnapshot[] {
  if (verifiedTo === undefined) return [];
  const proven = Date.parse(verifiedTo);
  const whole = snapshots
    .flatMap((one) =>
      one.status === 'available' && one.takenAt !== undefined ? [{ one, at: Date.parse(one.takenAt) }] : [],
    )
    .sort((a, b) => b.at - a.at);
  const ofProven = whole.find(({ at }) => at <= proven);
  return whole
    .filter(({ at }, index) => index >= keepAtLeast && now - at > keepDays * dayMs && at < proven)
    .filter((found) => found !== ofProven)
    .map(({ one }) => one);
}
