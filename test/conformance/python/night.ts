import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Attempt } from '../../../lib/training/run.ts';
import { childrenOf, signal } from '../../../local/host/processes.ts';
import { JobFolder } from '../../../local/jobs/job-folder.ts';
import { openRuntime, type Runtime } from '../../../local/runtime.ts';
import { aTenant } from '../../fixtures/records.ts';
import { freshDir } from '../../fresh-dir.ts';
import { documentsFolder } from '../../workload/harness.ts';
import { exampleVariables } from './workloads.ts';

/** Notes whether something holds. */
export type Expect = (what: string, holds: boolean) => void;

const tenants = ['acme', 'beta', 'gamma'];
const projectDir = resolve('.');

const pause = (ms: number) => new Promise<void>((again) => setTimeout(again, ms));

/** A control plane of this process over the example workloads. */
function openExamples(stateDir: string, more: Record<string, string> = {}): Promise<Runtime> {
  const variables = { ...exampleVariables, ...more };
  return openRuntime({ projectDir, stateDir, mode: 'write', variables, schedules: false, retryScale: 0.01 });
}

/** Adds tenants of the PyTorch workload, each with its own documents. */
export async function addTenants(
  stateDir: string,
  names: readonly string[],
  documents: number,
): Promise<void> {
  const runtime = await openExamples(stateDir);
  for (const tenantId of names)
    await runtime.ports.tenants.put(
      aTenant({
        tenantId,
        workload: 'pytorch',
        modelType: 'halves',
        documentsUri: pathToFileURL(documentsFolder(documents)).href,
        training: { epochs: 30 },
      }),
      0,
    );
  await runtime.close();
}

/** `epsilon run nightly-training` as a process of its own. */
function startNight(stateDir: string): ChildProcess {
  const args = [
    'cli/epsilon.js',
    '--state-dir',
    stateDir,
    'run',
    'nightly-training',
    '--retry-scale',
    '0.01',
  ];
  return spawn(process.execPath, args, { env: exampleVariables, stdio: 'ignore' });
}

const over = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Processes of a job that runs now, of this stage or of any. */
function runningJob(stateDir: string, stage?: string): readonly number[] | undefined {
  const root = join(stateDir, 'jobs');
  const names = readdirSync(root).filter((name) => stage === undefined || name.includes(`-${stage}-`));
  for (const name of names) {
    const { started, alive } = new JobFolder(root, name);
    const processes = started && alive ? childrenOf(started.shim) : [];
    if (processes.length > 0) return processes;
  }
  return undefined;
}

async function whenRuns(
  stateDir: string,
  child: ChildProcess,
  stage?: string,
): Promise<readonly number[] | undefined> {
  while (!over(child)) {
    const found = runningJob(stateDir, stage);
    if (found) return found;
    await pause(20);
  }
  return undefined;
}

/** A night that loses its control plane twice and a job once, by kill -9; all tenants are trained, and no finished stage runs twice. */
export async function killedNight(expect: Expect): Promise<void> {
  const stateDir = join(freshDir(), 'state');
  await addTenants(stateDir, tenants, 40);
  for (const stage of ['train', 'index']) {
    const plane = startNight(stateDir);
    const job = await whenRuns(stateDir, plane, stage);
    expect(`a job of ${stage} was running when the control plane was killed`, job !== undefined);
    await pause(300);
    plane.kill('SIGKILL');
    while (!over(plane)) await pause(10);
  }
  const last = startNight(stateDir);
  // Of whichever stage runs first: on a busy host the others may be over.
  const first = (await whenRuns(stateDir, last)) ?? [];
  for (const pid of first) signal(pid, 'SIGKILL');
  while (!over(last)) await pause(50);
  const runtime = await openExamples(stateDir);
  const night = async () => (await runtime.control.workflows.list({ machine: 'nightly-training' })).at(-1);
  while ((await night())?.status === 'RUNNING') await pause(100);
  expect('the night that was killed succeeded', (await night())?.status === 'SUCCEEDED');
  const attempts: Attempt[] = [];
  for (const run of await runtime.control.runs.listRuns({}))
    attempts.push(...(await runtime.control.runs.listAttempts(run.runId)));
  for (const tenantId of tenants) {
    expect(`${tenantId} has a live model`, (await runtime.control.models.live(tenantId)) !== undefined);
    const succeeded = attempts.filter((one) => one.tenantId === tenantId && one.status === 'succeeded');
    const often = succeeded.map(({ runId, stage }) => `${runId}/${stage}`);
    expect(
      `no stage of ${tenantId} that was finished ran again (${often.length} in its runs)`,
      often.length >= 5 && new Set(often).size === often.length,
    );
  }
  expect(
    'the killed job was tried again',
    first.length > 0 && attempts.some(({ status }) => status === 'failed'),
  );
  await runtime.close();
  const answer = await query(stateDir, 'acme', 'who bakes bread');
  expect(`epsilon query answers: ${answer}`, answer.includes('bakers knead dough'));
}

function query(stateDir: string, tenantId: string, text: string): Promise<string> {
  const args = ['cli/epsilon.js', '--state-dir', stateDir, 'query', '--tenant', tenantId, text];
  const child = spawn(process.execPath, args, { env: exampleVariables });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
  return new Promise((done) => child.once('close', () => done(said)));
}

/** Milliseconds between the beginning of the first and the end of the last job of a night of one tenant after the other. */
export async function nightMs(stateDir: string): Promise<number> {
  const runtime = await openExamples(stateDir, { EPSILON_TRAINING_MAX_CONCURRENCY: '1' });
  const began = performance.now();
  const { executionArn } = await runtime.control.workflows.start({
    machine: 'nightly-training',
    name: 'timed',
    input: {},
  });
  while ((await runtime.control.workflows.describe(executionArn)).status === 'RUNNING') await pause(10);
  const took = performance.now() - began;
  await runtime.close();
  return took;
}

/** Jobs of a night in the order in which they were submitted, each with arguments and environment. */
export function jobsOf(stateDir: string) {
  const root = join(stateDir, 'jobs');
  return readdirSync(root)
    .map(
      (name) =>
        JSON.parse(readFileSync(join(root, name, 'spec.json'), 'utf8')) as {
          tenantId: string;
          stage: string;
          arguments: string[];
          environment: Record<string, string>;
        },
    )
    .sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
}
