import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ClusterAccess } from '../../../lib/kubernetes/api-server.ts';
import { createTransport, type Transport } from '../../../lib/kubernetes/transport.ts';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import { freePort } from '../../free-port.ts';
import { Programs } from './programs.ts';

/** Who may be played: `admin`, a function's role, one that sets capacity, the watcher's service account, a worker of Airflow, a stranger. */
export type Who = 'admin' | 'runner' | 'watcher' | 'airflow' | 'capacity' | 'nobody';

/** Lines of the static token file: token, name, uid, groups. */
const identities: Readonly<Record<Who, string>> = {
  admin: 'admin,admin,1,"system:masters"',
  runner: 'runner,function,2,"epsilon:job-submitters,epsilon:job-keepers"',
  watcher: 'watcher,system:serviceaccount:epsilon:job-watcher,3,"system:serviceaccounts"',
  capacity: 'capacity,function,6,"epsilon:capacity-setters"',
  airflow: 'airflow,airflow-worker,5,"epsilon:airflow-workers"',
  nobody: 'nobody,nobody,4,"strangers"',
};

/** Where a started control plane is told to the tests. */
export const variables = {
  server: 'EPSILON_TEST_KUBE_SERVER',
  ca: 'EPSILON_TEST_KUBE_CA',
  program: 'EPSILON_TEST_KUBE_PROGRAM',
  kubeconfig: 'EPSILON_TEST_KUBE_CONFIG',
} as const;

/** Programs of a control plane that a test may kill. */
type Part = 'etcd' | 'api' | 'controllers' | 'scheduler';

/** Output of a kubectl run. */
export interface Said {
  readonly status: number;
  readonly text: string;
}

/** Runs kubectl of the cluster's version, as the administrator. */
export type Kubectl = (...args: readonly string[]) => Said;

/** kubectl for a cluster; `kube` is the program that ./server builds. */
export function kubectlFor(kube: string, kubeconfig: string): Kubectl {
  return (...args) => {
    const run = spawnSync(kube, ['kubectl', '--kubeconfig', kubeconfig, ...args], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (run.error) throw run.error;
    return { status: run.status ?? 1, text: `${run.stdout}${run.stderr}` };
  };
}

/** Access as one of the identities. */
function accessTo(server: string, ca: string, who: Who): ClusterAccess {
  const endpoint = { server, ca };
  return { endpoint: async () => endpoint, token: async () => who, refresh: () => undefined };
}

/** A transport as one of the identities. */
export function transportTo(server: string, ca: string, who: Who): Transport {
  return createTransport({
    access: accessTo(server, ca, who),
    clock: new SystemClock(),
    random: Math.random,
  });
}

function writeKeys(programs: Programs): void {
  const key = programs.file('sa.key');
  execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' });
  execFileSync('openssl', ['rsa', '-in', key, '-pubout', '-out', programs.file('sa.pub')], {
    stdio: 'ignore',
  });
  writeFileSync(programs.file('tokens.csv'), `${Object.values(identities).join('\n')}\n`, { mode: 0o600 });
}

function startEtcd(programs: Programs, client: number, peer: number): string {
  const address = `http://127.0.0.1:${client}`;
  programs.start('etcd', 'etcd', {
    'data-dir': programs.file('etcd'),
    'listen-client-urls': address,
    'advertise-client-urls': address,
    'listen-peer-urls': `http://127.0.0.1:${peer}`,
  });
  return address;
}

function startApi(programs: Programs, kube: string, etcd: string, port: number): void {
  programs.start(
    'api',
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

function writeKubeconfig(programs: Programs, server: string, who: Who = 'admin'): string {
  const path = programs.file(who === 'admin' ? 'kubeconfig' : `kubeconfig-${who}`);
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server, 'certificate-authority': programs.file('certs/apiserver.crt') } },
    ],
    users: [{ name: 'u', user: { token: who } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(path, JSON.stringify(kubeconfig), { mode: 0o600 });
  return path;
}

/** Controllers of every control plane. */
const usualControllers =
  'job-controller,pod-garbage-collector-controller,garbage-collector-controller,serviceaccount-controller,ttl-after-finished-controller,resourcequota-controller';

interface ControllersOptions {
  readonly kubeconfig: string;
  readonly port: number;
  readonly more: readonly string[];
}

function startControllers(
  programs: Programs,
  kube: string,
  { kubeconfig, port, more }: ControllersOptions,
): void {
  programs.start(
    'controllers',
    kube,
    {
      kubeconfig,
      'secure-port': String(port),
      'bind-address': '127.0.0.1',
      'cert-dir': programs.file('controller-certs'),
      'leader-elect': 'false',
      'service-account-private-key-file': programs.file('sa.key'),
      controllers: [usualControllers, ...more].join(','),
    },
    ['controllers'],
  );
}

/** A real control plane of this host: etcd, kube-apiserver, kube-controller-manager; kube-scheduler if it is asked for. */
export class ControlPlane {
  readonly #programs: Programs;
  readonly #kube: string;
  readonly #server: string;
  readonly #kubeconfig: string;
  readonly #transports: Transport[] = [];
  readonly kubectl: Kubectl;

  private constructor(programs: Programs, kube: string, server: string) {
    this.#programs = programs;
    this.#kube = kube;
    this.#server = server;
    this.#kubeconfig = writeKubeconfig(programs, server);
    this.kubectl = kubectlFor(kube, this.#kubeconfig);
  }

  /** Starts it in a folder of its own; `kube` is the program that ./server builds, `more` are controllers beside the usual ones. */
  static async start(kube: string, more: readonly string[] = []): Promise<ControlPlane> {
    const programs = new Programs();
    const [client = 0, peer = 0, port = 0, controllers = 0] = await Promise.all([1, 2, 3, 4].map(freePort));
    writeKeys(programs);
    const etcd = startEtcd(programs, client, peer);
    startApi(programs, kube, etcd, port);
    const plane = new ControlPlane(programs, kube, `https://127.0.0.1:${port}`);
    try {
      await plane.ready();
      startControllers(programs, kube, { kubeconfig: plane.#kubeconfig, port: controllers, more });
    } catch (error) {
      await plane.close();
      throw error;
    }
    return plane;
  }

  /** Environment under which `attach` finds it. */
  get environment(): Readonly<Record<string, string>> {
    return {
      [variables.server]: this.#server,
      [variables.ca]: this.#programs.file('certs/apiserver.crt'),
      [variables.program]: this.#kube,
      [variables.kubeconfig]: this.#kubeconfig,
    };
  }

  /** A kubeconfig of one of the identities. */
  kubeconfigOf(who: Who): string {
    return writeKubeconfig(this.#programs, this.#server, who);
  }

  /** For programs that speak to it themselves, as the administrator. */
  get kubeconfig(): string {
    return this.#kubeconfig;
  }

  /** A connection as one of the identities; closed with the plane. */
  transport(who: Who): Transport {
    const made = transportTo(
      this.#server,
      readFileSync(this.#programs.file('certs/apiserver.crt'), 'utf8'),
      who,
    );
    this.#transports.push(made);
    return made;
  }

  /** Resolves when the API server answers that it is ready. */
  async ready(): Promise<void> {
    await until('the API server is ready', async () => {
      const ca = readFileSync(this.#programs.file('certs/apiserver.crt'), 'utf8');
      const probe = transportTo(this.#server, ca, 'admin');
      try {
        return (await probe.send({ method: 'GET', path: '/readyz', tries: 1 })).status === 200;
      } finally {
        probe.close();
      }
    });
  }

  /** Starts the real scheduler. */
  async startScheduler(): Promise<void> {
    const port = await freePort();
    this.#programs.start(
      'scheduler',
      this.#kube,
      {
        kubeconfig: this.#kubeconfig,
        'authentication-kubeconfig': this.#kubeconfig,
        'authorization-kubeconfig': this.#kubeconfig,
        'secure-port': String(port),
        'bind-address': '127.0.0.1',
        'cert-dir': this.#programs.file('scheduler-certs'),
        'leader-elect': 'false',
      },
      ['scheduler'],
    );
  }

  kill(part: Part, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#programs.kill(part, signal);
  }

  restart(part: Part): void {
    this.#programs.restart(part);
  }

  /** Copies the data of etcd, which must not run. */
  backUp(): void {
    cpSync(this.#programs.file('etcd'), this.#programs.file('etcd-backup'), { recursive: true });
  }

  /** Puts the copy back, in place of what etcd, which must not run, has learnt since. */
  restore(): void {
    rmSync(this.#programs.file('etcd'), { recursive: true });
    cpSync(this.#programs.file('etcd-backup'), this.#programs.file('etcd'), { recursive: true });
  }

  async close(): Promise<void> {
    for (const transport of this.#transports) transport.close();
    await this.#programs.close();
  }
}

/** Waits for a condition of the real servers; gives up after `seconds`, naming it. */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 30): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > end) throw new Error(`not within ${seconds} seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
