import type { Command } from 'commander';
import { type PointSummary, summaryOf } from '../../lib/backup/manifest.ts';
import type { Point, Wanted } from '../../lib/backup/points.ts';
import type { Verification } from '../../lib/backup/verification.ts';
import { environmentVariables } from '../../lib/config/environment.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import { checkPoint, listPoints, type OpenBackups, restorePoint } from '../../local/backup/open-backups.ts';
import { bytesText } from '../bytes-text.ts';
import { shellWord } from '../launch/command-name.ts';
import { toTheSecond } from '../output.ts';
import { print } from '../print.ts';
import { checkSignal, command, type Session, withControl } from '../session.ts';
import { table } from '../table.ts';
import { requireLocal } from '../target.ts';
import { listPointsOnAws, refuseOnAws, restoreOnAws, runBackupMachine } from './backup-aws.ts';

interface BackupOptions {
  readonly backups?: string;
}

function opened({ projectDir, target, clock, ids }: Session, { backups }: BackupOptions): OpenBackups {
  const { stateDir } = requireLocal(
    target,
    '"epsilon backup"',
    'on AWS machines make the backups (docs/recover.md).',
  );
  return { projectDir, stateDir, variables: environmentVariables(), folder: backups, clock, ids };
}

const sameDiskText =
  'It is on the disk of the state: it helps against mistakes, not when that disk is lost. Another folder: backup.directory in infra/config/local.yml.';

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function danglingText({ pointers }: PointSummary): string[] {
  const { dangling } = pointers;
  if (dangling.length === 0) return [];
  return [
    `Warning: model records name ${plural(dangling.length, 'object')} that the state itself lacks, the first ${dangling[0]}.`,
  ];
}

async function run(session: Session): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const point = await control.backups.run();
    const { id, takenAt, objects, rows, bytes, sameDisk } = point;
    print(session.output, { point }, () =>
      [
        `Point ${id} holds everything up to ${takenAt}: ${plural(rows, 'row')} and ${plural(objects, 'object')}, ${bytesText(bytes)}.`,
        ...(sameDisk ? [sameDiskText] : []),
        ...danglingText(point),
        `Read it back with "${command(session, `backup verify ${id}`)}".`,
      ].join('\n'),
    );
  });
}

async function prune(session: Session, { dryRun = false }: { readonly dryRun?: boolean }): Promise<void> {
  await withControl(session, { mode: 'write', schedules: false }, async (control) => {
    const { backups, records } = await control.backups.prune({ dryRun });
    print(session.output, { dryRun, backups, records }, () => {
      const { models, runs, executions, objects, bytes, jobFolders } = records;
      const counts = [
        plural(models, 'model'),
        plural(runs, 'run'),
        plural(executions, 'execution'),
        plural(objects, 'object'),
        plural(jobFolders, 'job folder'),
      ];
      return [
        `${dryRun ? 'Would remove' : 'Removed'} ${plural(backups.points, 'point')}${dryRun ? '' : ` and ${bytesText(backups.bytes)} that only they had`}.`,
        `${dryRun ? 'Would remove' : 'Removed'} ${counts.join(', ')}: ${bytesText(bytes)}.`,
      ].join('\n');
    });
  });
}

function pointRow(point: Point): (string | number)[] {
  if ('fault' in point) return [point.id, '', '', '', '', point.fault];
  const { takenAt, rows, objects, bytes, sameDisk } = summaryOf(point.manifest);
  return [point.id, toTheSecond(takenAt), rows, objects, bytesText(bytes), sameDisk ? 'same disk' : ''];
}

async function list(session: Session, options: BackupOptions): Promise<void> {
  const { folder, points } = await listPoints(opened(session, options));
  const shown = points.map((point) =>
    'manifest' in point ? { ...summaryOf(point.manifest) } : { id: point.id, fault: point.fault },
  );
  print(
    session.output,
    { folder, points: shown },
    () =>
      `${folder}\n\n${table(session.output, ['POINT', 'TAKEN', 'ROWS', 'OBJECTS', 'SIZE', 'NOTE'], points.map(pointRow))}`,
  );
}

function verificationText({ tables, rows, objects, bytesRead, pointers, warnings }: Verification): string {
  const counts = [
    plural(tables, 'table'),
    plural(rows, 'row'),
    plural(objects, 'object'),
    `${plural(pointers, 'place')} that model records name`,
  ];
  return [
    `Read back ${bytesText(bytesRead)}: ${counts.join(', ')}; all as recorded.`,
    ...warnings.map((one) => `Warning: ${one}.`),
  ].join('\n');
}

async function verify(session: Session, id: string | undefined, options: BackupOptions): Promise<void> {
  const { manifest, verification } = await checkPoint(opened(session, options), id);
  print(
    session.output,
    { point: summaryOf(manifest), verification },
    () => `Point ${manifest.id} of ${manifest.takenAt} can be restored. ${verificationText(verification)}`,
  );
}

interface RestoreOptions extends BackupOptions {
  readonly id?: string;
  readonly to?: string;
  readonly into?: string;
  readonly approve?: string;
}

function wantedOf({ id, to }: RestoreOptions): Wanted {
  if (id !== undefined && to === undefined) return { id };
  if (to !== undefined && id === undefined) return { to };
  throw new EpsilonError(
    'USAGE',
    '"restore" needs one of --id <point>, --to <instant> and --to newest; "epsilon backup list" shows the points.',
  );
}

/** Reports each tenth of a restore. */
function progressOf(session: Session): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    checkSignal(session, 'nothing was promoted; run the same command again.');
    const tenth = Math.floor((10 * done) / Math.max(1, total));
    if (tenth <= told || session.output.json) return;
    told = tenth;
    session.output.warn(`${tenth * 10} % of ${bytesText(total)}\n`);
  };
}

type Restored = Awaited<ReturnType<typeof restorePoint>>;

function restoredText(session: Session, { prepared, place, promoted }: Restored, next: string): string {
  const { manifest, verification, recovered, passedOver, digest, epoch } = prepared;
  const { executions, runs, attempts } = recovered;
  const lines = [
    ...passedOver.map(({ id, why }) => `Passed over ${id}: ${why}`),
    `Point ${manifest.id} of ${manifest.takenAt}. ${verificationText(verification)}`,
    `Under way at that moment, and ended as lost: ${plural(executions, 'execution')}, ${plural(runs, 'run')}, ${plural(attempts, 'attempt')}.`,
  ];
  if (promoted)
    return [
      ...lines,
      `${place} is the state that goes on (epoch ${epoch}). Start it with "${session.name} --state-dir ${shellWord(place)} start".`,
      ...(executions > 0 ? [`What was ended goes on with "redrive"; "executions" lists it.`] : []),
    ].join('\n');
  return [
    ...lines,
    `Nothing was changed yet. To make ${place} the state that goes on:`,
    `  ${next}`,
    `Digest: ${digest}`,
  ].join('\n');
}

async function restore(session: Session, options: RestoreOptions): Promise<void> {
  const wanted = wantedOf(options);
  const parts = opened(session, options);
  const { approve } = options;
  const restored = await restorePoint(parts, {
    wanted,
    into: options.into ?? parts.stateDir,
    approve,
    onProgress: progressOf(session),
  });
  const { prepared, place, promoted } = restored;
  const { manifest, verification, recovered, passedOver, digest, epoch } = prepared;
  const places = [
    ...(options.into === undefined ? [] : [`--into ${shellWord(options.into)}`]),
    ...(options.backups === undefined ? [] : [`--backups ${shellWord(options.backups)}`]),
  ];
  const next = command(
    session,
    ['restore', `--id ${manifest.id}`, ...places, `--approve ${digest}`].join(' '),
  );
  const document = {
    promoted,
    place,
    point: summaryOf(manifest),
    verification,
    recovered,
    passedOver,
    epoch,
    digest,
  };
  print(session.output, document, () => restoredText(session, restored, next));
}

const onAws = ({ target }: Session) => target.kind === 'aws';

/** `backup ...` and `restore`. */
export function addBackup(program: Command, session: () => Session): void {
  const where = ['--backups <folder>', 'folder of the backups (<state directory>-backups)'] as const;
  const backup = program.command('backup').description('make, list, verify and prune backups');
  backup
    .command('run')
    .description('make a backup now; "epsilon start" makes one every few minutes')
    .action(() => (onAws(session()) ? runBackupMachine(session(), 'backup') : run(session())));
  backup
    .command('list')
    .description('list the points that can be restored, oldest first')
    .option(...where)
    .action((options: BackupOptions) =>
      onAws(session()) ? listPointsOnAws(session()) : list(session(), options),
    );
  backup
    .command('verify')
    .description('read a point to its last byte, and check what is in it')
    .argument('[point]', 'default: the newest')
    .option(...where)
    .action((id: string | undefined, options: BackupOptions) =>
      onAws(session())
        ? refuseOnAws('backup verify', 'a drill reads what was restored: "epsilon drill".')
        : verify(session(), id, options),
    );
  backup
    .command('prune')
    .description('verify the newest point, then remove points, records and objects whose time is over')
    .option('--dry-run', 'only say how much that is')
    .action((options: { dryRun?: boolean }) =>
      onAws(session())
        ? refuseOnAws('backup prune', 'the machine "backup" removes snapshots whose time is over.')
        : prune(session(), options),
    );
  program
    .command('restore')
    .description('restore a backup into a new state directory, or, on AWS, into the other region')
    .option('--id <point>', 'the point with this id')
    .option('--to <time>', 'the newest point at or before this time, ISO 8601 with a zone, or "newest"')
    .option('--into <folder>', 'the new state directory (--state-dir)')
    .option(...where)
    .option('--approve <digest>', 'promote what was restored: the digest that the restore printed')
    .action((options: RestoreOptions) =>
      onAws(session()) ? restoreOnAws(session(), options) : restore(session(), options),
    );
}
