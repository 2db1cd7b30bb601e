import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { AirflowApi } from '../../lib/airflow/airflow-api.ts';
import { AirflowJobRunner } from '../../lib/airflow/airflow-job-runner.ts';
import { type ExportedDag, exportDags } from '../../lib/airflow/export-dags.ts';
import { AirflowOverHttp } from '../../lib/airflow/http-transport.ts';
import { environmentVariables } from '../../lib/config/environment.ts';
import { imagesFileOf, releasedStageImages } from '../../lib/config/released-images.ts';
import { EpsilonError, exitCodes } from '../../lib/errors/epsilon-error.ts';
import { NotFound } from '../../lib/errors/store-errors.ts';
import { type ReleaseEnvironment, releaseEnvironments } from '../../lib/release/release.ts';
import { imageNames } from '../../lib/training/stages.ts';
import { loadLocalService } from '../../local/declaration/local-service.ts';
import { readYaml } from '../../local/declaration/read-yaml.ts';
import { print } from '../print.ts';
import { command, type Session } from '../session.ts';
import { requireLocal } from '../target.ts';
import { wholeNumber } from '../whole-number.ts';

/** Folder of the DAGs, below the project. */
const dagFolder = join('infra', 'airflow', 'dags');

/** Files beside the generated ones that a folder of DAGs needs: the DAG of single jobs, the tasks, and what keeps Airflow from reading them as DAGs. */
const companions = ['epsilon_stage.py', 'epsilon_tasks.py', '.airflowignore'] as const;

/** References of the images; belongs to the deployment, so that an export never replaces it and a check never reads it. */
const imagesFile = 'images.json';

interface ExportOptions {
  readonly out?: string;
  readonly images?: ReleaseEnvironment;
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

/** The images that a release has named in an environment, as the tasks read them. `IMAGE_NOT_FOUND`, `IMAGES_INVALID`. */
function releasedTo(session: Session, environment: ReleaseEnvironment): string {
  const file = imagesFileOf(environment);
  const found = releasedStageImages(environment, readYaml(join(session.projectDir, file)));
  const references = imageNames.map((name) => {
    const image = found[name];
    if (image) return [name, `${image.repository}@${image.digest}`];
    throw new NotFound(
      'IMAGE_NOT_FOUND',
      `${file} names no image "stage-${name}": take the tree of release/${environment}, after a release.`,
    );
  });
  return `${JSON.stringify(Object.fromEntries(references), null, 2)}\n`;
}

function write(
  session: Session,
  { folder, own, images }: { readonly folder: string; readonly own: string; readonly images?: string },
  files: readonly Omit<ExportedDag, 'dagId'>[],
): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const { file, text } of files) replaceFile(join(folder, file), text);
    if (images !== undefined) replaceFile(join(folder, imagesFile), images);
    else if (!existsSync(join(folder, imagesFile))) cpSync(join(own, imagesFile), join(folder, imagesFile));
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

function exportTo(session: Session, { out, check: checks, images: from }: ExportOptions): void {
  requireLocal(session.target, '"epsilon airflow export"', 'it writes files and deploys nothing.');
  const own = join(session.projectDir, dagFolder);
  const folder = out === undefined ? own : resolve(out);
  const { service } = loadLocalService(session.projectDir, {});
  const files = [
    ...exportDags(service),
    ...companions.map((file) => ({ file, text: readFileSync(join(own, file), 'utf8') })),
  ];
  if (checks) check(session, folder, files);
  else write(session, { folder, own, ...(from && { images: releasedTo(session, from) }) }, files);
}

interface CheckOptions {
  readonly url: string;
  readonly api: string;
  readonly user: string;
  readonly runs: string;
}

/** Variable with the password: an argument would be visible to every user of the host. */
const passwordVariable = 'EPSILON_AIRFLOW_PASSWORD';

function apiOf(given: string): 'v1' | 'v2' {
  if (given === 'v1' || given === 'v2') return given;
  throw new EpsilonError('USAGE', `--api ${given} is not one of v1 (Airflow 2), v2 (Airflow 3).`);
}

function urlOf(given: string): string {
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given;
  throw new EpsilonError('USAGE', `--url ${given} is not an http or https address.`);
}

async function checkServer(session: Session, { url, api, user, runs }: CheckOptions): Promise<void> {
  const password = environmentVariables()[passwordVariable];
  if (password === undefined)
    throw new EpsilonError('USAGE', `The password of "${user}" is needed in ${passwordVariable}.`);
  const runner = new AirflowJobRunner({
    api: new AirflowApi(
      new AirflowOverHttp({
        url: urlOf(url),
        api: apiOf(api),
        credentials: async () => ({ username: user, password }),
      }),
    ),
    // A check starts no job, and so reads no result.
    objects: { get: () => Promise.reject(new NotFound('OBJECT_NOT_FOUND', 'A check reads no objects.')) },
    podOf: () => ({}),
    maxActiveRuns: wholeNumber('--runs', runs, 10_000),
  });
  const ready = await runner.ready();
  print(
    session.output,
    { url, ...ready },
    () => `Airflow at ${url} would run jobs: ${ready.dag}, ${ready.maxActiveRuns} at a time.`,
  );
}

/** `airflow export` and `airflow check`. */
export function addAirflow(program: Command, session: () => Session): void {
  const airflow = program.command('airflow').description('Apache Airflow: write its DAGs, check a server');
  airflow
    .command('export')
    .description('write the DAGs, generated from the state machines and the stage catalogue')
    .option('--out <folder>', 'another folder than infra/airflow/dags, as Airflow reads it')
    .addOption(
      new Option('--images <environment>', 'write images.json, too: what a release has named there').choices([
        ...releaseEnvironments,
      ]),
    )
    .option('--check', 'write nothing; fail (DAGS_DRIFTED) when the files there differ')
    .action((options: ExportOptions) => exportTo(session(), options));
  airflow
    .command('check')
    .description('check whether an Airflow server could run jobs for Epsilon: credentials, DAG, pause, limit')
    .requiredOption('--url <url>', 'address of its web server')
    .option('--api <v1|v2>', 'v1 of Airflow 2, v2 of Airflow 3', 'v2')
    .option('--user <name>', `its user; the password is read from ${passwordVariable}`, 'epsilon')
    .option('--runs <number>', 'runs that the DAG has to allow at a time', '16')
    .action((options: CheckOptions) => checkServer(session(), options));
}
