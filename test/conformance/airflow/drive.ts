import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFileObjectStore } from '../../../lib/files/file-object-store.ts';
import { jobManifest } from '../../../lib/kubernetes/job-manifest.ts';
import type { JobRunner } from '../../../lib/ports/job-runner.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import { systemIds } from '../../../lib/system/system-ids.ts';
import { contractVersions } from '../../../lib/training/attempts/job-contract.ts';
import { openLocalStores } from '../../../local/stores/local-stores.ts';
import { devSettings, testPorts } from '../../fixtures/ports.ts';
import { aTenant } from '../../fixtures/records.ts';
import type { Compared } from './dags.ts';
import { facts } from './facts.ts';
import { type Invocation, serveFunctions } from './functions.ts';
import type { Installed } from './install.ts';

const digest = `@sha256:${'d'.repeat(64)}`;
/** Images of the runs, by digest. */
export const images = {
  'data-pipeline': `registry/data-pipeline${digest}`,
  'ml-engine': `registry/ml-engine${digest}`,
  deployer: `registry/deployer${digest}`,
};

/** A cluster that nobody calls: a pod is described by what knows one. */
const nowhere = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'played', cluster: { server: 'http://127.0.0.1:9' } }],
  users: [{ name: 'played', user: {} }],
  contexts: [{ name: 'played', context: { cluster: 'played', user: 'played' } }],
  'current-context': 'played',
};

/** What the pods of a run that succeeds leave. */
export const good = {
  prepare: { exitCode: 0, result: { passages: 12 } },
  train: { exitCode: 0, result: { words: 100, dimensions: 8, checksums: { model: 'm' } } },
  index: { exitCode: 0, result: { vectors: 12, dimensions: 8, checksums: { index: 'i' } } },
  deploy: { exitCode: 0, result: { selfRetrieval: 1 } },
  cache: { exitCode: 0, result: { entries: 12 } },
};

/** Kubernetes, as far as a pod is described: Airflow starts it, and nothing is submitted. */
const describing: JobRunner = {
  backend: 'eks',
  namesAreIds: true,
  podOf: (spec) => ({
    ...jobManifest(spec, { region: 'eu-central-1', jobRoleArn: 'arn:aws:iam::1:role/tenant' }).spec?.template,
  }),
  submit: () => Promise.reject(new Error('Epsilon submitted a job of a run that Airflow drives.')),
  find: async () => undefined,
  observe: async () => new Map(),
  cancel: async () => {},
};

interface Driven {
  readonly state: string;
  readonly tasks: Readonly<Record<string, string>>;
  readonly pods: readonly { readonly task: string; readonly pod: PodJson }[];
}

interface PodJson {
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A control plane over stores in a folder, with tenants that Airflow schedules and one that it does not. */
export async function openPlane(folder: string, shards: number): Promise<Ports> {
  const clock = new SystemClock();
  const stores = openLocalStores({ stateDir: folder });
  const ports = testPorts({
    ...stores,
    config: { ...devSettings, reconcile: { ...devSettings.reconcile, shards } },
    clock,
    ids: systemIds(clock),
    jobs: { batch: undefined, eks: describing },
    images: { resolve: async () => images, contractOf: async () => contractVersions },
    objects: createFileObjectStore({ root: join(folder, 'objects') }),
  });
  const now = new Date(clock.now()).toISOString();
  for (const tenantId of ['acme', 'zeta', 'ours'])
    await ports.tenants.put(
      aTenant({ tenantId, backend: 'eks', schedule: tenantId === 'ours' ? 'on' : 'airflow' }),
      0,
    );
  for (const tenantId of ['acme', 'zeta', 'ours'])
    await ports.verdicts.record({ tenantId, verdict: 'passed', findings: [], checkedAt: now, since: now });
  return ports;
}

interface Surroundings {
  readonly installed: Installed;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs a DAG to its end; `plays` says how its pods end, null that a cluster runs them. */
export async function drive(
  { installed, folder, environment }: Surroundings,
  params: Readonly<Record<string, string>>,
  plays: Readonly<Record<string, unknown>> | null,
  dag = 'tenant_model_training',
): Promise<Driven> {
  const script = join(import.meta.dirname, 'drive.py');
  const args = [script, folder, dag, JSON.stringify(params), JSON.stringify(plays)];
  const { stdout } = await promisify(execFile)(installed.python, args, {
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Driven;
}

/** Whether a pod is the runner's own: what Airflow adds are labels, annotations and a suffix of the name. */
function podFaults({ pod }: Driven['pods'][number], calls: readonly Invocation[]): string[] {
  const contracts = calls.flatMap(({ name, output }) => {
    const { contract } = (output ?? {}) as { contract?: { jobName: string; pod: PodJson } };
    return name === 'submitStage' && contract ? [contract] : [];
  });
  const contract = contracts.find(({ jobName }) => pod.metadata.name.startsWith(jobName));
  if (!contract) return [`the pod ${pod.metadata.name} belongs to no attempt`];
  return Object.entries(contract.pod.spec).flatMap(([key, wanted]) =>
    JSON.stringify(sorted(pod.spec[key])) === JSON.stringify(sorted(wanted))
      ? []
      : [
          `${pod.metadata.name}: ${key} is ${JSON.stringify(pod.spec[key])}, the runner's is ${JSON.stringify(wanted)}`,
        ],
  );
}

/** The same value with its keys in order, without what is empty. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => !(Array.isArray(each) && each.length === 0))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

/** Runs of the exported DAG in a real Airflow, each against Epsilon's own functions. */
export async function compareRuns(installed: Installed, shards = 3): Promise<Compared> {
  const home = mkdtempSync(join(tmpdir(), 'airflow-drive-'));
  const { found, expect } = facts(installed.version);
  const stateDir = join(home, 'state');
  mkdirSync(stateDir);
  const ports = await openPlane(stateDir, shards);
  const { url, calls, server } = await serveFunctions(ports);
  try {
    const folder = join(home, 'dags');
    cpSync(join('infra', 'airflow', 'dags'), folder, { recursive: true });
    writeFileSync(join(folder, 'images.json'), JSON.stringify(images));
    const kubeconfig = join(home, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(nowhere));
    const environment = {
      KUBECONFIG: kubeconfig,
      ...process.env,
      AIRFLOW_HOME: home,
      AIRFLOW__CORE__DAGS_FOLDER: folder,
      AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
      AIRFLOW_CONN_AWS_DEFAULT: 'aws://',
      AWS_ENDPOINT_URL_LAMBDA: url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'eu-central-1',
    };
    execFileSync(installed.python, ['-m', 'airflow', 'db', 'migrate'], { env: environment, stdio: 'ignore' });
    const surroundings = { installed, folder, environment };
    const run = await drive(surroundings, { tenant_id: 'acme' }, good);
    expect('a tenant is trained', run.state, 'success');
    expect('every stage has a pod', run.pods.length, 5);
    for (const pod of run.pods) expect(`the pod of ${pod.task}`, podFaults(pod, calls), []);
    const live = await ports.models.live('acme');
    const [record] = await ports.runs.listRuns({ tenantId: 'acme' });
    expect('its model is live', live?.modelVersion, record?.modelVersion);
    expect('its run has succeeded', record?.status, 'succeeded');
    const bad = await drive(
      surroundings,
      { tenant_id: 'zeta' },
      { ...good, train: { exitCode: 65, result: {} } },
    );
    const [failed] = await ports.runs.listRuns({ tenantId: 'zeta' });
    expect('a stage that fails fails the run', [bad.state, failed?.status], ['failed', 'failed']);
    expect(
      'its tasks',
      [bad.tasks['train_model'], bad.tasks['promote_model']],
      ['failed', 'upstream_failed'],
    );
    const next = { tenantId: 'zeta', holder: 'next', now: new Date().toISOString() };
    const lease = await ports.leases.acquire({ ...next, expiresAt: new Date().toISOString() });
    expect('the lease of a failed run is free', lease.holder, 'next');
    const foreign = await drive(surroundings, { tenant_id: 'ours' }, good);
    expect("a tenant of Epsilon's own schedule is refused", foreign.tasks['begin_run'], 'failed');
    const check = await drive(surroundings, {}, {}, 'data_quality_check');
    expect('the quality check of every tenant', check.state, 'success');
    const { verdict } = await ports.verdicts.standing('acme');
    expect('its verdict of a tenant without documents', verdict?.verdict, 'no-data');
    if (found.faults.length > 0)
      for (const { name, error } of calls) if (error) process.stdout.write(`${name}: ${error}\n`);
  } finally {
    server.close();
    rmSync(home, { recursive: true, force: true });
  }
  return found;
}
