import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { runMachine } from './executions.ts';

/** Executions of `backup` that a list shows. */
const shown = 24;

/** What a finished execution of `backup` says of the point that it recorded. */
interface Assessed {
  readonly point: string;
  readonly newest: string | null;
  readonly faults: readonly string[];
  readonly more: number;
}

/** What a restore is asked for on the command line. */
interface RestoreWords {
  readonly id?: string;
  readonly to?: string;
  readonly into?: string;
  readonly approve?: string;
}

/** The same command where restores and drills run: the other region, whatever has become of the first. */
export function standbyOf(session: Session): Session {
  return { ...session, open: (options) => session.open({ ...options, standby: true }) };
}

/** Starts a machine of backups on AWS and watches it. */
export function runBackupMachine(
  session: Session,
  machine: 'backup' | 'restore' | 'restore-drill',
  input: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const where = machine === 'backup' ? session : standbyOf(session);
  return runMachine(where, machine, { input: JSON.stringify(input), wait: true });
}

/** `backup list` on AWS: what could be restored, hour by hour, oldest first. */
export async function listPointsOnAws(session: Session): Promise<void> {
  await withControl(session, { mode: 'read' }, async ({ workflows }) => {
    const executions = await workflows.list({ machine: 'backup', limit: shown });
    const ended = await Promise.all(executions.map(({ executionArn }) => workflows.describe(executionArn)));
    const points = ended
      .flatMap(({ output }) => {
        const { point } = (output ?? {}) as { readonly point?: Assessed };
        return point ? [point] : [];
      })
      .reverse();
    const rows = points.map(({ point, newest, faults, more }) => [
      toTheSecond(point),
      newest === null ? 'none' : toTheSecond(newest),
      [...faults, ...(more > 0 ? [`and ${more} more`] : [])].join('; '),
    ]);
    print(session.output, { points }, () =>
      table(session.output, ['LOOKED AT', 'RESTORES TO', 'FAULTS'], rows),
    );
  });
}

/** `restore` on AWS: a moment into the other region, or the promotion of one that was verified. */
export function restoreOnAws(session: Session, { id, to, into, approve }: RestoreWords): Promise<void> {
  if (into !== undefined)
    throw new EpsilonError(
      'USAGE',
      'On AWS a restore makes names of its own in the other region; leave out --into.',
    );
  if (to !== undefined && id === undefined && approve === undefined)
    return runBackupMachine(session, 'restore', { to });
  if (id !== undefined && approve !== undefined && to === undefined)
    return runBackupMachine(session, 'restore', { id, approve });
  throw new EpsilonError(
    'USAGE',
    'On AWS "restore" needs --to <instant> or --to newest; then --id <restore> with --approve <digest>, both of which its output has.',
  );
}

/** Refuses what only has a meaning on one host. */
export function refuseOnAws(what: string, instead: string): never {
  throw new EpsilonError('USAGE', `"epsilon ${what}" is for one host; on AWS ${instead}`);
}
