import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { sha256Of } from '../manifest.ts';
import { type Bounds, instantOf, newest } from '../points.ts';
import type { RestoreCheck, RestorePlace } from './records.ts';
import type { ContinuousBackup } from './resources.ts';

/** What the stores of the other region can be restored to. */
export interface ReachThere {
  readonly database: ContinuousBackup | undefined;
  readonly table: ContinuousBackup | undefined;
  /** ISO 8601: everything that a record named from then on is still there. */
  readonly objectsFrom: string;
}

function boundsOf({ database, table, objectsFrom }: ReachThere): Bounds {
  const missing = Object.entries({ database, table }).flatMap(([name, found]) =>
    found?.oldest === undefined || found.newest === undefined ? [name] : [],
  );
  const [last] = [database?.newest, table?.newest].filter((at) => at !== undefined).sort();
  const first = [database?.oldest, table?.oldest, objectsFrom]
    .filter((at) => at !== undefined)
    .sort()
    .at(-1);
  if (missing.length === 0 && first !== undefined && last !== undefined && first <= last)
    return { oldest: first, newest: last };
  throw new EpsilonError(
    'BACKUP_NOT_FOUND',
    missing.length > 0
      ? `There is nothing to restore: ${missing.join(' and ')} can be restored to no moment in the other region.`
      : `There is no moment that all stores can be restored to: the oldest is ${first}, the newest ${last}.`,
    { exitCode: exitCodes.badInput },
  );
}

function boundsIfAny(reach: ReachThere): Bounds | undefined {
  try {
    return boundsOf(reach);
  } catch {
    return undefined;
  }
}

/** Why a moment cannot be restored; undefined when it can. */
function refusal(at: number, bounds: Bounds, { objectsFrom }: ReachThere, now: number): string | undefined {
  if (at > now) return 'in the future of all stores';
  if (at < Date.parse(objectsFrom)) return `older than the objects that are kept, from ${objectsFrom} on`;
  if (at < Date.parse(bounds.oldest)) return 'before the oldest moment of all stores';
  if (at > Date.parse(bounds.newest)) return 'after the newest moment of all stores';
  return undefined;
}

/**
 * The moment that all stores are restored to: the newest that each of them has, or one that is named. Errors: `RESTORE_TIME_INVALID` and
 * `RESTORE_POINT_OUT_OF_RANGE` with both bounds, `BACKUP_NOT_FOUND`. `now` is in milliseconds.
 */
export function chooseMoment(to: string, reach: ReachThere, now: number): string {
  const at = to === newest ? undefined : instantOf(to, boundsIfAny(reach));
  const bounds = boundsOf(reach);
  if (at === undefined) return bounds.newest;
  const why = refusal(at, bounds, reach, now);
  if (why === undefined) return new Date(at).toISOString();
  throw new EpsilonError(
    'RESTORE_POINT_OUT_OF_RANGE',
    `--to ${to} is ${why}: they reach from ${bounds.oldest} to ${bounds.newest}.`,
    { details: { ...bounds } },
  );
}

/** Names of what a restore or a drill makes; the same for a repeated invocation of one execution. */
export function targetNames(
  live: { readonly database: string; readonly table: string },
  { execution, drill }: { readonly execution: string; readonly drill: boolean },
): { readonly id: string; readonly database: string; readonly table: string } {
  const id = `${drill ? 'drill' : 'restore'}-${sha256Of(execution).slice(0, 10)}`;
  return { id, database: `${live.database}-${id}`, table: `${live.table}-${id}` };
}

/** Refuses names that are live: `RESTORE_TARGET_LIVE`. */
export function refuseLive(
  live: { readonly database: string; readonly table: string },
  wanted: { readonly database: string; readonly table: string },
): void {
  for (const what of ['database', 'table'] as const)
    if (wanted[what].toLowerCase() === live[what].toLowerCase())
      throw new EpsilonError(
        'RESTORE_TARGET_LIVE',
        `${wanted[what]} is the ${what} that is backed up; a restore never goes onto what is there.`,
        { exitCode: exitCodes.conflict },
      );
}

/** Refuses automated backups of another account or region than the key they are to be opened with: `ARN_MISMATCH`. */
export function refuseForeign(arn: string, keyArn: string): void {
  const [, partition, , region, account] = arn.split(':');
  const [, keyPartition, , keyRegion, keyAccount] = keyArn.split(':');
  if (partition === keyPartition && region === keyRegion && account === keyAccount) return;
  throw new EpsilonError(
    'ARN_MISMATCH',
    `${arn} is of ${partition}, ${region}, account ${account}; expected are ${keyPartition}, ${keyRegion}, account ${keyAccount}.`,
    { details: { expected: keyArn, actual: arn } },
  );
}

/** What is approved: these checks of this moment in this place, and nothing else. */
export function restoreDigest(point: string, target: RestorePlace, checks: readonly RestoreCheck[]): string {
  return sha256Of(JSON.stringify({ point, target, checks })).slice(0, 16);
}

/** What is wrong with a restore; a check that looked at nothing is a fault. */
export function restoreFaults(checks: readonly RestoreCheck[]): string[] {
  if (checks.length === 0) return ['nothing was checked'];
  return checks.flatMap(({ name, count, faults }) => [
    ...(count === 0 ? [`${name}: nothing was checked`] : []),
    ...faults.map((fault) => `${name}: ${fault}`),
  ]);
}
