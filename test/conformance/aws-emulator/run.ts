import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type Clients, createClients } from '../../../lib/aws/wiring/clients.ts';
import { loadConfig } from '../../../lib/config/load-config.ts';
import { jobNameOf } from '../../../lib/training/attempts/job-name.ts';
import { stageNames } from '../../../lib/training/stages.ts';
import { readYaml } from '../../../local/declaration/read-yaml.ts';
import { freePort } from '../../free-port.ts';
import { documentsFolder } from '../../workload/harness.ts';
import { conclude } from '../debian.ts';
import { deploy } from './deploy.ts';
import { askEpsilon, callEpsilon } from './epsilon.ts';
import { startJobStandIn } from './job-stand-in.ts';
import { installEmulator, startEmulator } from './ministack.ts';
import { provision } from './provision.ts';
import { type Event, steps, without } from './states.ts';

/**
 * `npm run test:aws-emulator`: the service deployed by Serverless into an emulator of AWS, one tenant trained there over
 * `epsilon --target aws`, and its way through the states beside that of the embedded runtime with the same documents.
 */
const environment = 'dev';
const accountId = '000000000000';
const runId = 'acme-emulated';
const machine = 'tenant-model-training';

/** States in branches of a Parallel: the emulator's history leaves them out; that they ran is told by their jobs. */
const inBranches = ['DeployModel', 'UpdateRedisCache'];

/** Milliseconds between two passes of the reconciler, and for the whole run. */
const pause = 2_000;
const patience = 600_000;

const notProven = [
  'the night: the emulator has no reader for a distributed Map over an S3 object',
  'events from Batch: its stub sends none, so the reconciler settles every stage',
  'Batch itself: queues, placement, spot, cancelling; jobs were processes of this machine',
  'IAM: every call was allowed, also those that roles forbid',
  'encryption: keys are names to the emulator',
  'alarms, the canary of a deploy and its way back; redrive (the emulator has no Execution.RedriveCount)',
  'the history inside the branches of a Parallel, which the emulator leaves out',
];

type Variables = Readonly<Record<string, string | undefined>>;

interface Execution {
  readonly execution: { readonly status: string; readonly error?: string; readonly cause?: string };
}
interface History {
  readonly events: readonly Event[];
}
interface Models {
  readonly models: readonly {
    readonly modelVersion: string;
    readonly vectors: number;
    readonly dimensions: number;
  }[];
  readonly live: { readonly modelVersion: string } | null;
}

const faults: string[] = [];
let compared = 0;
function expect(what: string, holds: boolean): void {
  compared += 1;
  if (!holds) faults.push(what);
}

const say = (text: string) => process.stdout.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'epsilon-emulator-'));
const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-west-2' };
const aws = (...words: string[]) => ['--target', 'aws', '--environment', environment, ...words];
const local = (...words: string[]) => ['--state-dir', join(folder, 'state'), ...words];

/** Trains the tenant in the emulator; nobody tells of jobs there, so the reconciler is called until the run is over. */
async function trainEmulated(clients: Clients, variables: Variables): Promise<Execution['execution']> {
  await askEpsilon(aws('run', machine, '--tenant', 'acme', '--name', runId, '--no-wait'), variables);
  const reconcile = new InvokeCommand({
    FunctionName: `epsilon-${environment}-reconcileJobs`,
    Payload: Buffer.from('{}'),
  });
  for (const end = performance.now() + patience; ; ) {
    const { FunctionError, Payload } = await clients.of(LambdaClient).send(reconcile);
    if (FunctionError) throw new Error(`reconcileJobs: ${Buffer.from(Payload ?? []).toString()}`);
    const { execution } = await askEpsilon<Execution>(aws('describe', `${machine}/${runId}`), variables);
    if (execution.status !== 'RUNNING' || performance.now() > end) return execution;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Holds what the emulated service did against what the embedded runtime did. */
async function compare(variables: Variables): Promise<void> {
  const ways = [];
  for (const where of [local, aws]) {
    const { events } = await askEpsilon<History>(where('history', `${machine}/${runId}`), variables);
    const models = await askEpsilon<Models>(where('models', 'list', 'acme'), variables);
    ways.push({ steps: without(steps(events), inBranches), models });
  }
  const [here, there] = ways;
  const longest = Math.max(here?.steps.length ?? 0, there?.steps.length ?? 0);
  for (let at = 0; at < longest; at += 1)
    expect(
      `step ${at + 1}: embedded ${here?.steps[at] ?? '(none)'}, emulated ${there?.steps[at] ?? '(none)'}`,
      here?.steps[at] === there?.steps[at],
    );
  const facts = (models: Models | undefined) =>
    models?.models.map(({ vectors, dimensions }) => [vectors, dimensions]);
  expect(
    `models: embedded ${JSON.stringify(facts(here?.models))}, emulated ${JSON.stringify(facts(there?.models))}`,
    JSON.stringify(facts(here?.models)) === JSON.stringify(facts(there?.models)) &&
      facts(here?.models)?.length === 1,
  );
  expect(
    'the emulated tenant has a live model',
    there?.models.live?.modelVersion === there?.models.models[0]?.modelVersion,
  );
  say(`${longest} steps compared:\n  ${there?.steps.filter((step) => step.startsWith('>')).join('\n  ')}`);
}

async function main(command: string): Promise<void> {
  const documents = documentsFolder(40);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const jobs = await startJobStandIn({
    endpoint: () => endpoint,
    variables: credentials,
    folder: join(folder, 'jobs'),
  });
  const emulator = await startEmulator(command, folder, {
    port,
    region: credentials.AWS_REGION,
    variables: { ...credentials, AWS_ENDPOINT_URL_BATCH: jobs.endpoint },
  });
  const variables = { PATH: process.env['PATH'], HOME: folder, ...credentials, AWS_ENDPOINT_URL: endpoint };
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: endpoint });
  const clients = createClients({ region: credentials.AWS_REGION });
  try {
    await provision(
      clients,
      endpoint,
      loadConfig({ file: readYaml(`infra/config/${environment}.yml`), variables: {} }),
      accountId,
    );
    say('deploying with serverless');
    const { types } = await deploy(clients, folder, variables);
    say(`deployed, without the types that the emulator does not know: ${types.join(', ')}`);
    const added = await callEpsilon(aws('tenants', 'add', 'acme', '--documents', documents), variables);
    expect(`adding a tenant ended with ${added.code}: ${added.stderr}`, added.code === 0);
    say('training in the emulator');
    const execution = await trainEmulated(clients, variables);
    expect(
      `the emulated run ended ${execution.status}: ${execution.error}: ${execution.cause}`,
      execution.status === 'SUCCEEDED',
    );
    say('training in the embedded runtime');
    await askEpsilon(local('tenants', 'add', 'acme', '--documents', documents), variables);
    await askEpsilon(local('run', machine, '--tenant', 'acme', '--name', runId), variables);
    await compare(variables);
    const expected = stageNames.map((stage) =>
      jobNameOf({ tenantId: 'acme', runId, stage, attempt: 1 }, 'batch'),
    );
    expect(
      `jobs: ${jobs.names().join(', ')}; expected ${expected.join(', ')}`,
      JSON.stringify(jobs.names().toSorted()) === JSON.stringify(expected.toSorted()),
    );
    const answer = await callEpsilon(
      aws('query', '--tenant', 'acme', 'the words of the first document'),
      variables,
    );
    expect(`a question ended with ${answer.code}: ${answer.stderr}`, answer.code === 0);
  } catch (error) {
    faults.push(String(error));
    compared += 1;
  } finally {
    if (faults.length > 0) say(`${jobs.log().slice(-4_000)}\n${emulator.log().slice(-8_000)}`);
    clients.close();
    await emulator.stop();
    await jobs.close();
  }
}

try {
  await main(process.argv[2] ?? installEmulator(folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
say(`Not proven here:\n  ${notProven.join('\n  ')}`);
conclude(compared, faults);
