import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { jobLabels } from '../../../lib/kubernetes/job-labels.ts';
import type { Transport } from '../../../lib/kubernetes/transport.ts';
import { ScriptedKubelet } from '../../kubernetes/kubelet.ts';
import { installPackage, works } from '../debian.ts';
import { build, programPath } from '../kubernetes/build.ts';
import { ControlPlane } from '../kubernetes/control-plane.ts';
import type { Compared } from './dags.ts';
import { drive, good, images, openPlane } from './drive.ts';
import { type Expect, facts } from './facts.ts';
import { type Invocation, serveFunctions } from './functions.ts';
import type { Installed } from './install.ts';

const pods = '/api/v1/namespaces/ml-jobs/pods';
const json = { 'content-type': 'application/json' };

async function send(transport: Transport, method: string, path: string, body: object): Promise<unknown> {
  const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : json;
  const answer = await transport.send({ method, path, headers, body: JSON.stringify(body) });
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body);
}

/** A node whose kubelet answers what the API server asks of it: the logs of a container. */
async function addNode(transport: Transport, folder: string) {
  const key = join(folder, 'kubelet.key');
  const cert = join(folder, 'kubelet.crt');
  const subject = ['-subj', '/CN=node-1', '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const kubelet = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const known = request.url?.startsWith('/containerLogs/ml-jobs/') === true;
    response.writeHead(known ? 200 : 404, { 'content-type': 'text/plain' });
    response.end(known ? '2026-11-24T02:00:00.000000000Z a line of the job\n' : '');
  });
  await new Promise<void>((listening) => kubelet.listen(0, '127.0.0.1', listening));
  const { port } = kubelet.address() as AddressInfo;
  const labels = { workload: 'training', 'epsilon/capacity': 'spot' };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels } };
  await send(transport, 'POST', '/api/v1/nodes', node);
  await send(transport, 'PATCH', '/api/v1/nodes/node-1/status', {
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  });
  return kubelet;
}

/** The specification as the API server keeps it, with its defaults and what admission adds, of the pod that the runner makes. */
async function runnersOwn(transport: Transport, contract: { readonly pod: object }): Promise<unknown> {
  const name = { metadata: { ...(contract.pod as V1Pod).metadata, name: 'dry', namespace: 'ml-jobs' } };
  const pod = { apiVersion: 'v1', kind: 'Pod', ...contract.pod, ...name };
  const kept = (await send(transport, 'POST', `${pods}?dryRun=All&fieldValidation=Strict`, pod)) as V1Pod;
  return kept.spec;
}

const contractsOf = (calls: readonly Invocation[]) =>
  calls.flatMap(({ name, output }) => {
    const { contract } = (output ?? {}) as { contract?: { jobName: string; pod: object } };
    return name === 'submitStage' && contract ? [contract] : [];
  });

interface Scene {
  readonly plane: ControlPlane;
  readonly installed: Installed;
  readonly home: string;
  readonly expect: Expect;
}

async function train({ plane, installed, home, expect }: Scene): Promise<void> {
  const admin = plane.transport('admin');
  const kubelet = new ScriptedKubelet(admin);
  const seen = new Map<string, V1Pod>();
  kubelet.script = () => 'succeeds';
  kubelet.message = (pod) => {
    const stage = pod.metadata?.labels?.[jobLabels.stage] as keyof typeof good;
    seen.set(pod.metadata?.labels?.[jobLabels.job] ?? '', pod);
    return JSON.stringify(good[stage].result);
  };
  kubelet.start();
  mkdirSync(join(home, 'state'));
  const ports = await openPlane(join(home, 'state'), 1);
  const { url, calls, server } = await serveFunctions(ports);
  const folder = join(home, 'dags');
  cpSync(join('infra', 'airflow', 'dags'), folder, { recursive: true });
  writeFileSync(join(folder, 'images.json'), JSON.stringify(images));
  const environment = {
    ...process.env,
    KUBECONFIG: plane.kubeconfigOf('airflow'),
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__DAGS_FOLDER: folder,
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    // The worker reaches the cluster by its kubeconfig: there is no such connection, and no cluster around it.
    AIRFLOW_CONN_KUBERNETES_DEFAULT: 'kubernetes://',
    AIRFLOW_CONN_AWS_DEFAULT: 'aws://',
    AWS_ENDPOINT_URL_LAMBDA: url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_DEFAULT_REGION: 'eu-central-1',
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  };
  try {
    execFileSync(installed.python, ['-m', 'airflow', 'db', 'migrate'], { env: environment, stdio: 'ignore' });
    const run = await drive({ installed, folder, environment }, { tenant_id: 'acme' }, null);
    expect('a tenant is trained by pods of a cluster', run.state, 'success');
    const [record] = await ports.runs.listRuns({ tenantId: 'acme' });
    expect('its run has succeeded', record?.status, 'succeeded');
    const contracts = contractsOf(calls);
    expect('each stage has an attempt', contracts.length, 5);
    for (const contract of contracts) {
      const { nodeName: _bound, ...spec } = seen.get(contract.jobName)?.spec ?? { nodeName: '' };
      expect(`the pod of ${contract.jobName}`, spec, await runnersOwn(admin, contract));
    }
    const attempts = await ports.runs.listAttempts(record?.runId ?? '');
    expect(
      'each attempt has the result that its pod left',
      Object.fromEntries(attempts.map(({ stage, result }) => [stage, result])),
      Object.fromEntries(Object.entries(good).map(([stage, { result }]) => [stage, result])),
    );
    const { body } = await admin.send({ method: 'GET', path: pods });
    expect('no pod is left', (JSON.parse(body) as { items: unknown[] }).items, []);
    if (run.state !== 'success')
      for (const { name, error } of calls) if (error) process.stdout.write(`${name}: ${error}\n`);
  } finally {
    server.close();
    await kubelet.close();
  }
}

/** The exported DAG for one tenant, by a worker with the shipped rights, against the API server of the Kubernetes suite. */
export async function compareCluster(installed: Installed): Promise<Compared> {
  const { found, expect } = facts(installed.version);
  const missing = installPackage('etcd-server', () => works('etcd', '--version')) ?? build();
  if (missing !== undefined) {
    expect('a cluster to run pods in', missing, 'there');
    return found;
  }
  const home = mkdtempSync(join(tmpdir(), 'airflow-cluster-'));
  const plane = await ControlPlane.start(programPath());
  const kubelets: { close(): void }[] = [];
  try {
    for (const path of ['-k infra/k8s/jobs', '-f infra/airflow/k8s'])
      expect(`${path} is applied`, plane.kubectl('apply', '--server-side', ...path.split(' ')).status, 0);
    kubelets.push(await addNode(plane.transport('admin'), home));
    await train({ plane, installed, home, expect });
  } finally {
    for (const one of kubelets) one.close();
    await plane.close();
    rmSync(home, { recursive: true, force: true });
  }
  return found;
}
