import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { trainingOf } from '../../../lib/config/training-of.ts';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import { decodeFlatIndex } from '../../../lib/training/models/vectors/flat-index.ts';
import { type StageName, stageNames } from '../../../lib/training/stages.ts';
import { checkJob } from '../../../local/job-check/check-job.ts';
import { type CommandOf, type Ended, Scratch } from '../../../local/job-check/scratch.ts';
import { lastProgress } from '../../../local/jobs/progress-file.ts';
import { freshDir } from '../../fresh-dir.ts';
import { conclude, installPackage, works } from '../debian.ts';
import { checkAws } from './aws.ts';
import { compareWithShell } from './beside-shell.ts';
import { killedNight } from './night.ts';
import { allWorkloads, exampleVariables, exampleWorkloads, python } from './workloads.ts';

/** `npm run test:conformance:python`: the examples in Python, with Debian's PyTorch and FAISS, under the real control plane; `-- aws` the part on AWS alone. */
const clock = new SystemClock();
const faults: string[] = [];
let compared = 0;

function expect(what: string, holds: boolean): void {
  compared += 1;
  process.stdout.write(`${holds ? 'ok   ' : 'FAULT'} ${what}\n`);
  if (!holds) faults.push(what);
}

const inspect = (...args: string[]) =>
  JSON.parse(
    execFileSync(python, [join(import.meta.dirname, 'inspect_model.py'), ...args], { encoding: 'utf8' }),
  ) as Record<string, unknown>;

/** The same cases of the contract for every workload. */
async function checkContract(): Promise<void> {
  for (const workload of Object.keys(allWorkloads)) {
    const { steps } = await checkJob({
      clock,
      place: { projectDir: resolve('.'), workloads: allWorkloads, variables: exampleVariables },
      subject: { workload },
      seconds: 120,
      grace: 10,
      keep: false,
      signal: new AbortController().signal,
      onStage: () => {},
    });
    const found = steps.flatMap(({ stage, findings }) =>
      findings
        .filter(({ severity }) => severity === 'fault')
        .map(({ code, message }) => `${stage} ${code} ${message}`),
    );
    expect(
      `workload ${workload} keeps the contract in ${steps.length} steps ${found.join('; ')}`,
      found.length === 0 && steps.length >= 25,
    );
  }
}

/** A scratch folder in which stages of an example run. */
function openScratch(workload: keyof typeof exampleWorkloads, epochs: number) {
  const modelType = Object.keys(exampleWorkloads[workload].modelTypes)[0] ?? '';
  const training = { ...trainingOf(allWorkloads, { workload, modelType, training: { epochs } }), modelType };
  const scratch = new Scratch(
    {
      clock,
      variables: exampleVariables,
      seconds: 300,
      graceMs: 10_000,
      signal: new AbortController().signal,
    },
    training,
  );
  const command: CommandOf = (spec, { resultPath }) => ({
    file: python,
    args: [exampleWorkloads[workload].commands.deployer[1] ?? '', ...spec.arguments],
    cwd: resolve('examples/python'),
    env: { ...spec.environment, EPSILON_RESULT_PATH: resultPath, EPSILON_OBJECTS_ROOT: scratch.objects },
  });
  const run = async (stage: StageName, runId: string, attempt = 1, interrupt = false): Promise<Ended> => {
    const interruptAfter = async (folder: Ended['folder']) => {
      const before = lastProgress(folder.file('progress.jsonl'))?.done ?? 0;
      while ((lastProgress(folder.file('progress.jsonl'))?.done ?? 0) <= before)
        await new Promise<void>((again) => setTimeout(again, 20));
    };
    const ended = await scratch.run(
      scratch.specOf(runId, stage, attempt),
      command,
      interrupt ? { attempt, interruptAfter } : { attempt },
    );
    if (ended.observation.state === 'succeeded')
      scratch.outputs = { ...scratch.outputs, [stage]: ended.spec.outputUri };
    return ended;
  };
  return { scratch, run };
}

/** A training that is interrupted twice ends with the tensors of one that is not. */
async function interruptedTraining(): Promise<void> {
  const { scratch, run } = openScratch('pytorch', 400);
  await run('prepare', 'whole');
  const whole = await run('train', 'whole');
  let stops = 0;
  let ended: Ended | undefined;
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    ended = await run('train', 'stopped', attempt, attempt <= 2);
    if (ended.observation.state === 'succeeded') break;
    stops += ended.observation.exitCode === 143 ? 1 : 0;
  }
  const file = (of: Ended | undefined) => `${scratch.pathOf(of?.spec.outputUri ?? '')}model.pth`;
  expect(
    `training was interrupted ${stops} times and taken up`,
    stops === 2 && ended?.observation.result?.['resumedFrom'] !== null,
  );
  const { equal, rows } = inspect('equal', file(whole), file(ended));
  expect(`its ${String(rows)} vectors are those of a training that was not interrupted`, equal === true);
  scratch.remove();
}

/** Indexes are opened by both sides, and a model that holds code is refused. */
async function exchangedFiles(): Promise<void> {
  for (const workload of ['plain', 'pytorch'] as const) {
    const { scratch, run } = openScratch(workload, 5);
    for (const stage of stageNames) {
      const { observation, lastWords } = await run(stage, 'files');
      expect(`${workload}: ${stage} succeeds ${lastWords}`, observation.state === 'succeeded');
    }
    const file = `${scratch.pathOf(scratch.outputs.index ?? '')}index.faiss`;
    const here = decodeFlatIndex(new Uint8Array(readFileSync(file)));
    const there = inspect('index', file);
    const same =
      there['rows'] === here.vectors.length / here.dimensions && there['dimensions'] === here.dimensions;
    expect(
      `${workload}: FAISS and Epsilon open the index alike (${JSON.stringify(there)})`,
      same && there['metric'] === 0,
    );
    if (workload === 'pytorch') await poisonedModel(scratch, run);
    scratch.remove();
  }
}

async function poisonedModel(
  scratch: Scratch,
  run: (stage: StageName, runId: string, attempt?: number) => Promise<Ended>,
): Promise<void> {
  const model = `${scratch.pathOf(scratch.outputs.train ?? '')}model.pth`;
  const mark = join(freshDir(), 'code-ran');
  const { version } = inspect('poison', model, mark);
  const manifest = model.replace('model.pth', 'manifest.json');
  const digest = spawnSync('sha256sum', [model], { encoding: 'utf8' }).stdout.split(' ')[0];
  const { facts } = JSON.parse(readFileSync(manifest, 'utf8')) as { facts: unknown };
  writeFileSync(
    manifest,
    JSON.stringify({
      files: [{ name: 'model.pth', bytes: readFileSync(model).length, sha256: digest }],
      facts,
    }),
  );
  const { observation } = await run('index', 'files', 2);
  const code = (observation.result?.['error'] as { code?: string } | undefined)?.code;
  expect(
    `a model that holds code is refused (${code}, exit ${observation.exitCode})`,
    code === 'DATA_MODEL_UNSAFE' && observation.exitCode === 65,
  );
  expect('and its code did not run', !existsSync(mark));
  process.stdout.write(`PyTorch ${String(version)} of Debian\n`);
}

const onlyAws = process.argv[2] === 'aws';
checkAws(expect);
const missing = onlyAws
  ? undefined
  : (installPackage('python3-torch', () => works(python, '-c', 'import torch')) ??
    installPackage('python3-faiss', () => works(python, '-c', 'import faiss')));
if (missing !== undefined || onlyAws) conclude(compared, faults, missing);
else {
  await checkContract();
  await interruptedTraining();
  await exchangedFiles();
  await killedNight(expect);
  await compareWithShell(expect);
  conclude(compared, faults);
}
