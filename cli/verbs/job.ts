import type { Command } from 'commander';
import { didYouMean } from '../../lib/config/did-you-mean.ts';
import { environmentVariables } from '../../lib/config/environment.ts';
import { findWorkload } from '../../lib/config/training-of.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { type StageName, stageNames } from '../../lib/training/stages.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { type CheckReport, checkJob, type Subject } from '../../local/job-check/check-job.ts';
import { print } from '../print.ts';
import type { Session } from '../session.ts';
import { requireLocal } from '../target.ts';
import { wholeNumber } from '../whole-number.ts';

interface CheckWords {
  readonly stage: string;
  readonly workload?: string;
  readonly folder: string;
  readonly modelType?: string;
  readonly model?: string;
  readonly epochs?: string;
  readonly seconds: string;
  readonly grace: string;
  readonly keep?: boolean;
}

function stageOf(word: string): StageName {
  const found = stageNames.find((name) => name === word);
  if (found) return found;
  const hint = didYouMean(word, stageNames);
  throw new EpsilonError(
    'USAGE',
    `--stage ${word} is none of ${stageNames.join(', ')}.${hint ? ` Did you mean ${hint}?` : ''}`,
  );
}

function subjectOf(command: readonly string[], { workload, stage, folder }: CheckWords): Subject {
  if (workload !== undefined && command.length > 0)
    throw new EpsilonError('USAGE', 'Name a command or --workload, not both.');
  if (workload !== undefined) return { workload };
  if (command.length > 0) return { command, folder, stage: stageOf(stage) };
  throw new EpsilonError(
    'USAGE',
    'Name what is to be checked: "job check -- python3 train.py", or "job check --workload NAME".',
  );
}

const indented = (text: string, by: string) => text.replaceAll('\n', `\n${by}`);

function textOf({ steps, folder }: CheckReport): string {
  const lines = steps.flatMap(({ stage, step, outcome, findings }) => [
    `${findings.some(({ severity }) => severity === 'fault') ? 'FAULT ' : 'ok    '} ${stage}: ${step}: ${outcome}`,
    ...findings.flatMap(({ code, severity, message, fix }) => [
      `         ${severity} ${code}: ${indented(message, '           ')}`,
      `           fix: ${fix}`,
    ]),
  ]);
  return [...lines, ...(folder === undefined ? [] : [`The scratch folder is ${folder}.`])].join('\n');
}

async function check(session: Session, command: readonly string[], words: CheckWords): Promise<void> {
  requireLocal(session.target, '"epsilon job check"', 'it runs programs of this host.');
  const variables = environmentVariables();
  const { workloads } = loadLocalService(session.projectDir, variables).config;
  const subject = subjectOf(command, words);
  if ('workload' in subject) findWorkload(workloads, subject.workload);
  const { output, clock, projectDir } = session;
  const report = await checkJob({
    clock,
    place: { projectDir, workloads, variables },
    subject,
    ...(words.modelType === undefined ? {} : { modelType: words.modelType }),
    ...(words.model === undefined ? {} : { model: words.model }),
    ...(words.epochs === undefined ? {} : { epochs: wholeNumber('--epochs', words.epochs, 10_000) }),
    seconds: wholeNumber('--seconds', words.seconds, 86_400),
    grace: wholeNumber('--grace', words.grace, 3_600),
    keep: words.keep ?? false,
    signal: session.signal,
    onStage: (stage) => {
      if (output.terminal && !output.json) output.warn(`checking ${stage} ...\n`);
    },
  });
  const faults = report.steps.flatMap(({ findings }) =>
    findings.filter(({ severity }) => severity === 'fault'),
  ).length;
  print(output, { ...report, faults }, () => textOf(report));
  if (faults === 0) return;
  throw new EpsilonError(
    'JOB_CONTRACT_BROKEN',
    `${faults === 1 ? 'One fault' : `${faults} faults`} against the job contract (docs/job-contract.md).`,
    { exitCode: exitCodes.runFailed, details: { faults } },
  );
}

/** `epsilon job check` */
export function addJob(program: Command, session: () => Session): void {
  program
    .command('job')
    .description('check programs of your own against the job contract')
    .command('check')
    .description(
      'run a command as a job in a scratch folder: to its end, with SIGTERM in the middle, again, without inputs, with an output that cannot be written; list each breach of the job contract, with the fix',
    )
    .argument('[command...]', 'program and arguments, behind "--"')
    .option('--stage <stage>', 'stage that the command is for', 'train')
    .option('--workload <name>', 'check every stage of a workload of infra/config instead')
    .option('--folder <path>', 'working directory of the command', '.')
    .option('--model-type <type>', "model to train (the workload's first)")
    .option('--model <file>', 'name of the model file that a command writes (model.bin)')
    .option('--epochs <n>', "passes over the data (the model type's, 10)")
    .option('--seconds <n>', 'seconds that each run may take', '60')
    .option('--grace <n>', 'seconds between SIGTERM and SIGKILL', '10')
    .option('--keep', 'keep the scratch folder')
    .action((command: readonly string[], words: CheckWords) => check(session(), command, words));
}
