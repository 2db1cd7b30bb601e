import type { Command } from 'commander';
import { type DrillFault, type DrillRound, type DrillVerdict, rtoOf } from '../../lib/backup/drill.ts';
import { drillPage } from '../../lib/backup/drill-page.ts';
import { environmentVariables } from '../../lib/config/environment.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { renderReport } from '../../lib/reports/report.ts';
import { type Drilled, runDrill } from '../../local/backup/drill/run-drill.ts';
import { bytesText } from '../bytes-text.ts';
import { seconds } from '../output.ts';
import { writePage } from '../pages/write-page.ts';
import { print } from '../print.ts';
import { checkSignal, type Session } from '../session.ts';
import { requireLocal } from '../target.ts';
import { wholeNumber } from '../whole-number.ts';
import { runBackupMachine } from './backup-aws.ts';
import { lastDrillOnAws } from './drill-aws.ts';

interface DrillVerbOptions {
  readonly rounds: string;
  readonly every: string;
  readonly faults?: boolean;
  readonly backups?: string;
  readonly scratch?: string;
  readonly html?: string;
  readonly last?: boolean;
}

function roundText(round: DrillRound): string {
  if ('error' in round) return `round ${round.round}: failed: ${round.error}`;
  const { acknowledged, lost, rpoMs, objects } = round;
  return `round ${round.round}: ${seconds(rtoOf(round))} from the kill to a write and an answer; ${lost} of ${acknowledged} acknowledged writes lost, those of the last ${seconds(rpoMs)}; ${objects} objects read back`;
}

function faultText({ fault, what, outcome, detail }: DrillFault): string {
  return `${fault} ${outcome}: ${what}${detail === '' ? '' : ` (${detail})`}`;
}

const timeText = (milliseconds: number | null) =>
  milliseconds === null ? 'not measured' : seconds(milliseconds);

function verdictText({ record, verdict, file }: Drilled): string {
  const { passed, reasons, worstRtoMs, worstRpoMs, lost, rtoGoalMs, settingsRpoMs } = verdict;
  const { goals, dataBytes, rounds, point, pointTakenAt } = record;
  return [
    `${passed ? 'Passed' : 'Not passed'}: ${rounds.length} rounds on a copy of point ${point} of ${pointTakenAt} (${bytesText(dataBytes)}).`,
    `Worst time to recover ${timeText(worstRtoMs)} (goal ${seconds(rtoGoalMs)}), worst loss ${timeText(worstRpoMs)} with backups ${seconds(goals.everyMs)} apart; ${lost} acknowledged writes in all.`,
    settingsRpoMs === null
      ? 'The settings make no backups by themselves.'
      : `With the interval of the settings at most ${seconds(settingsRpoMs)} would be lost; ${seconds(goals.rpoMs)} are allowed.`,
    ...reasons.map((reason) => `- ${reason}`),
    `Record: ${file}`,
  ].join('\n');
}

function failure({ reasons }: DrillVerdict): EpsilonError {
  return new EpsilonError(
    'DRILL_NOT_PASSED',
    `The drill did not pass: ${reasons[0] ?? 'no reason is on record'}.`,
    {
      exitCode: exitCodes.runFailed,
      details: { reasons },
    },
  );
}

async function drill(session: Session, options: DrillVerbOptions): Promise<void> {
  const { projectDir, target, clock, ids, output, signal } = session;
  const { stateDir } = requireLocal(
    target,
    '"epsilon drill"',
    'on AWS the machine "restore-drill" is started.',
  );
  const tell = (text: string) => {
    if (!output.json) output.write(`${text}\n`);
  };
  const drilled = await runDrill({
    projectDir,
    stateDir,
    variables: environmentVariables(),
    folder: options.backups,
    clock,
    ids,
    rounds: wholeNumber('--rounds', options.rounds, 100),
    everyMs: wholeNumber('--every', options.every, 3_600) * 1_000,
    faults: options.faults ?? false,
    scratch: options.scratch,
    signal,
    onRound: (round) => tell(roundText(round)),
    onFault: (fault) => tell(faultText(fault)),
  });
  const { record, verdict, file } = drilled;
  const html =
    options.html === undefined
      ? undefined
      : writePage(options.html, renderReport(drillPage(record, verdict)));
  print(output, { drill: record, verdict, file, ...(html === undefined ? {} : { html }) }, () =>
    [verdictText(drilled), ...(html === undefined ? [] : [`Page: ${html}`])].join('\n'),
  );
  checkSignal(session, 'the drill worked on a copy; a drill that is stopped counts as failed.');
  if (!verdict.passed) throw failure(verdict);
}

/** A drill here, the machine's on AWS, or the verdict on its last one. */
function start(session: Session, options: DrillVerbOptions): Promise<void> {
  if (session.target.kind === 'aws')
    return options.last ? lastDrillOnAws(session, options.html) : runBackupMachine(session, 'restore-drill');
  if (options.last)
    throw new EpsilonError(
      'USAGE',
      '--last is for AWS; here the record of each drill is beside the backups.',
    );
  return drill(session, options);
}

/** `drill` */
export function addDrill(program: Command, session: () => Session): void {
  program
    .command('drill')
    .description('restore the newest backup in isolation, kill and restore the copy, and measure it')
    .option('--rounds <n>', 'kills and restores in a row; fewer than 5 never pass', '5')
    .option('--every <seconds>', 'seconds between two backups of the copy', '1')
    .option('--faults', 'then damage backups, kill restores and fill disks, and check what comes of it')
    .option('--backups <folder>', 'folder of the backups (<state directory>-backups)')
    .option('--scratch <folder>', 'where the copies are made (the folder of temporary files)')
    .option('--html <file>', 'also write a page with every round and fault')
    .option('--last', 'on AWS: run none, but judge the newest one by its record')
    .action((options: DrillVerbOptions) => start(session(), options));
}
