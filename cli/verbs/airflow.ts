import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type ExportedDag, exportDags } from '../../lib/airflow/export-dags.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { print } from '../print.ts';
import { command, type Session } from '../session.ts';
import { requireLocal } from '../target.ts';

/** Folder of the DAGs, below the project. */
const dagFolder = join('infra', 'airflow', 'dags');

/** Files beside the generated ones that a folder of DAGs needs: the tasks, and what keeps Airflow from reading them as DAGs. */
const companions = ['epsilon_tasks.py', '.airflowignore'] as const;

/** References of the images; belongs to the deployment, so that an export never replaces it and a check never reads it. */
const imagesFile = 'images.json';

interface ExportOptions {
  readonly out?: string;
  readonly check?: boolean;
}

function readOrUndefined(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** How a file differs from what is generated; undefined where it does not. */
function driftOf(path: string, text: string): 'absent' | 'differs' | undefined {
  const found = readOrUndefined(path);
  if (found === undefined) return 'absent';
  return found === text ? undefined : 'differs';
}

function check(session: Session, folder: string, files: readonly Omit<ExportedDag, 'dagId'>[]): void {
  const drifted = files.flatMap(({ file, text }) => {
    const state = driftOf(join(folder, file), text);
    return state === undefined ? [] : [{ file, state }];
  });
  if (drifted.length === 0) {
    print(session.output, { folder, drifted }, () => `${files.length} files of ${folder} are up to date.`);
    return;
  }
  const list = drifted.map(({ file, state }) => `${file} ${state === 'absent' ? 'is not there' : 'differs'}`);
  throw new EpsilonError(
    'DAGS_DRIFTED',
    `The DAGs of ${folder} are not those of this checkout: ${list.join(', ')}. "${command(session, 'airflow export')}" writes them.`,
    { exitCode: exitCodes.conflict, details: { folder, drifted } },
  );
}

/** Each file appears whole: Airflow may read the folder at any time. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function write(
  session: Session,
  { folder, own }: { readonly folder: string; readonly own: string },
  files: readonly Omit<ExportedDag, 'dagId'>[],
): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const { file, text } of files) replaceFile(join(folder, file), text);
    if (!existsSync(join(folder, imagesFile))) cpSync(join(own, imagesFile), join(folder, imagesFile));
  } catch (error) {
    throw new EpsilonError(
      'OUTPUT_UNWRITABLE',
      `The DAGs cannot be written to ${folder}: ${(error as Error).message}.`,
      { cause: error },
    );
  }
  print(
    session.output,
    { folder, files: files.map(({ file }) => file) },
    () => `${files.length} files written to ${folder}.`,
  );
}

function exportTo(session: Session, { out, check: checks }: ExportOptions): void {
  requireLocal(session.target, '"epsilon airflow export"', 'it writes files and deploys nothing.');
  const own = join(session.projectDir, dagFolder);
  const folder = out === undefined ? own : resolve(out);
  const { service } = loadLocalService(session.projectDir, {});
  const files = [
    ...exportDags(service),
    ...companions.map((file) => ({ file, text: readFileSync(join(own, file), 'utf8') })),
  ];
  if (checks) check(session, folder, files);
  else write(session, { folder, own }, files);
}

/** `airflow export`. */
export function addAirflow(program: Command, session: () => Session): void {
  const airflow = program
    .command('airflow')
    .description('Apache Airflow: DAGs for those who schedule with it');
  airflow
    .command('export')
    .description('write the DAGs, generated from the state machines and the stage catalogue')
    .option('--out <folder>', 'another folder than infra/airflow/dags, as Airflow reads it')
    .option('--check', 'write nothing; fail (DAGS_DRIFTED) when the files there differ')
    .action((options: ExportOptions) => exportTo(session(), options));
}
