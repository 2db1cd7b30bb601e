import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterAccess } from '../../../lib/kubernetes/api-server.ts';
import { jobManifest } from '../../../lib/kubernetes/job-manifest.ts';
import { createTransport, type Transport } from '../../../lib/kubernetes/transport.ts';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import type { JobSpec } from '../../../lib/training/attempts/job.ts';
import { place } from '../../kubernetes/harness.ts';

/** Who may be played: `admin`, a function's role, the watcher's service account, a stranger. */
export type Who = 'admin' | 'runner' | 'watcher' | 'nobody';

/** Lines of the static token file: token, name, uid, groups. */
const identities: Readonly<Record<Who, string>> = {
  admin: 'admin,admin,1,"system:masters"',
  runner: 'runner,function,2,"epsilon:job-submitters,epsilon:job-keepers"',
  watcher: 'watcher,system:serviceaccount:epsilon:job-watcher,3,"system:serviceaccounts"',
  nobody: 'nobody,nobody,4,"strangers"',
};

/** Where a started control plane is told to the tests. */
const variables = { server: 'EPSILON_TEST_KUBE_SERVER', ca: 'EPSILON_TEST_KUBE_CA' } as const;

/** A real control plane of this machine: etcd, kube-apiserver, kube-controller-manager. No node, no scheduler, no kubelet. */
export interface ControlPlane {
  /** Environment under which `attach` finds it. */
  readonly environment: Readonly<Record<string, string>>;
  transport(who: Who): Transport;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Access as one of the identities. */
function accessTo(server: string, ca: string, who: Who): ClusterAccess {
  const endpoint = { server, ca };
  return { endpoint: async () => endpoint, token: async () => who, refresh: () => undefined };
}

function transportTo(server: string, ca: string, who: Who): Transport {
  return createTransport({
    access: accessTo(server, ca, who),
    clock: new SystemClock(),
    random: Math.random,
  });
}

/** Programs of one control plane, each with its log in one folder; stopped in reverse order. */
class Programs {
  readonly #children: ChildProcess[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'epsilon-kube-'));

  file(name: string): string {
    return join(this.folder, name);
  }

  start(
    log: string,
    program: string,
    flags: Readonly<Record<string, string>>,
    words: readonly string[] = [],
  ): void {
    const args = [...words, ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
    const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >"$LOG" 2>&1', program, ...args], {
      stdio: 'ignore',
      env: { ...process.env, LOG: this.file(log) },
    });
    this.#children.push(child);
  }

  async close(): Promise<void> {
    for (const child of this.#children.reverse()) {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await gone;
    }
  }
}

function writeKeys(programs: Programs): void {
  const key = programs.file('sa.key');
  execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' });
  execFileSync('openssl', ['rsa', '-in', key, '-pubout', '-out', programs.file('sa.pub')], {
    stdio: 'ignore',
  });
  writeFileSync(programs.file('tokens.csv'), `${Object.values(identities).join('\n')}\n`, { mode: 0o600 });
}

function startApi(programs: Programs, kube: string, etcd: string, port: number): void {
  programs.start(
    'api.log',
    kube,
    {
      'etcd-servers': etcd,
      'secure-port': String(port),
      'bind-address': '127.0.0.1',
      'cert-dir': programs.file('certs'),
      'authorization-mode': 'RBAC',
      'token-auth-file': programs.file('tokens.csv'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': programs.file('sa.pub'),
      'service-account-signing-key-file': programs.file('sa.key'),
      'service-cluster-ip-range': '10.96.0.0/16',
    },
    ['api'],
  );
}

function startControllers(programs: Programs, kube: string, server: string, port: number): void {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server, 'certificate-authority': programs.file('certs/apiserver.crt') } },
    ],
    users: [{ name: 'u', user: { token: 'admin' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(programs.file('kubeconfig'), JSON.stringify(kubeconfig));
  programs.start(
    'controllers.log',
    kube,
    {
      kubeconfig: programs.file('kubeconfig'),
      'secure-port': String(port),
      'bind-address': '127.0.0.1',
      'cert-dir': programs.file('controller-certs'),
      'leader-elect': 'false',
      'service-account-private-key-file': programs.file('sa.key'),
      controllers:
        'job-controller,pod-garbage-collector-controller,serviceaccount-controller,ttl-after-finished-controller,resourcequota-controller',
    },
    ['controllers'],
  );
}

/** Starts all three in a folder of their own; `kube` is the program that ./server builds. */
export async function startControlPlane(kube: string): Promise<ControlPlane> {
  const programs = new Programs();
  const [client = 0, peer = 0, port = 0, controllers = 0] = await Promise.all([1, 2, 3, 4].map(freePort));
  writeKeys(programs);
  const etcd = `http://127.0.0.1:${client}`;
  programs.start('etcd.log', 'etcd', {
    'data-dir': programs.file('etcd'),
    'listen-client-urls': etcd,
    'advertise-client-urls': etcd,
    'listen-peer-urls': `http://127.0.0.1:${peer}`,
  });
  startApi(programs, kube, etcd, port);
  const server = `https://127.0.0.1:${port}`;
  let ca = '';
  await until('the API server is ready', async () => {
    ca = readFileSync(programs.file('certs/apiserver.crt'), 'utf8');
    const probe = transportTo(server, ca, 'admin');
    const { status } = await probe.send({ method: 'GET', path: '/readyz' });
    probe.close();
    return status === 200;
  });
  startControllers(programs, kube, server, controllers);
  return {
    environment: { [variables.server]: server, [variables.ca]: programs.file('certs/apiserver.crt') },
    transport: (who) => transportTo(server, ca, who),
    close: () => programs.close(),
  };
}

/** A control plane that another process started. */
export interface Attached {
  transport(who: Who): Transport;
  evictPodOf(jobName: string): Promise<void>;
  /** As somebody with `kubectl delete job` does. */
  deleteJob(jobName: string): Promise<void>;
  /** What admission says about a job and about the pod it would make, without making either. */
  admissionWarnings(spec: JobSpec): Promise<string[]>;
  close(): void;
}

/** Finds the control plane that run.ts started. */
export function attach(): Attached {
  const server = process.env[variables.server] ?? '';
  const ca = readFileSync(process.env[variables.ca] ?? '', 'utf8');
  const open: Transport[] = [];
  const transport = (who: Who) => {
    const made = transportTo(server, ca, who);
    open.push(made);
    return made;
  };
  const admin = transport('admin');
  const send = (method: string, path: string, body?: object) =>
    admin.send({
      method,
      path,
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  return {
    transport,
    evictPodOf: async (jobName) => {
      const selector = encodeURIComponent(`batch.kubernetes.io/job-name=${jobName}`);
      const { body } = await send('GET', `/api/v1/namespaces/ml-jobs/pods?labelSelector=${selector}`);
      const { items } = JSON.parse(body) as { items: { metadata: { name: string } }[] };
      for (const { metadata } of items)
        await send('POST', `/api/v1/namespaces/ml-jobs/pods/${metadata.name}/eviction`, {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name: metadata.name, namespace: 'ml-jobs' },
        });
    },
    deleteJob: async (jobName) => {
      await send('DELETE', `/apis/batch/v1/namespaces/ml-jobs/jobs/${jobName}?propagationPolicy=Background`);
    },
    admissionWarnings: async (spec) => {
      const job = jobManifest(spec, place);
      const template = job.spec?.template;
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        ...template,
        metadata: { ...template?.metadata, name: 'dry' },
      };
      const dry = 'dryRun=All&fieldValidation=Strict';
      const answers = [
        await send('POST', `/apis/batch/v1/namespaces/ml-jobs/jobs?${dry}`, job),
        await send('POST', `/api/v1/namespaces/ml-jobs/pods?${dry}`, pod),
      ];
      return answers.flatMap(({ status, headers, body }) => [
        ...(status === 201 ? [] : [body]),
        ...(headers['warning'] ? [headers['warning']] : []),
      ]);
    },
    close: () => {
      for (const each of open) each.close();
    },
  };
}

/** Waits for a condition of the real servers; gives up after half a minute, naming it. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > end) throw new Error(`not within 30 seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
