import type { RecoverySettings } from './settings.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** The day's snapshot, which is due from `dueAt` on. */
export interface SnapshotPlan {
  /** The same in both regions, so that a repeated execution finds what an earlier one began. */
  readonly id: string;
  /** ISO 8601. */
  readonly dueAt: string;
  /** ISO 8601: not there by then is a failure. */
  readonly deadline: string;
}

/** Beginning of the ids of an environment's snapshots. */
export function snapshotPrefix(environment: string): string {
  return `epsilon-${environment}-`;
}

/** The snapshot of the newest day whose hour has come. `now` is in milliseconds. */
export function snapshotPlan(
  environment: string,
  { snapshotHour, snapshotHours }: Pick<RecoverySettings, 'snapshotHour' | 'snapshotHours'>,
  now: number,
): SnapshotPlan {
  const today = Math.floor(now / dayMs) * dayMs + snapshotHour * hourMs;
  const due = today <= now ? today : today - dayMs;
  const dueAt = new Date(due).toISOString();
  return {
    id: `${snapshotPrefix(environment)}${dueAt.slice(0, 10)}`,
    dueAt,
    deadline: new Date(due + snapshotHours * hourMs).toISOString(),
  };
}
