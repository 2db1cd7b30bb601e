import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Transport } from '../../../../lib/kubernetes/transport.ts';
import { freePort } from '../../../free-port.ts';

/** A pod as far as it is played. */
interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly args?: readonly string[];
    }[];
  };
}

/** A process that plays a pod. */
interface Played {
  readonly child: ChildProcess;
  readonly ip: string;
  /** Label `rollouts-pod-template-hash`; absent for a pod of a Job. */
  readonly hash: string | undefined;
  readonly port: number;
  readonly metricsPort: number;
  ready: boolean;
}

/** What an image does, by the first digit of its digest. */
export type Behaviours = Readonly<Record<string, Readonly<Record<string, string>>>>;

const namespace = 'production';
const pods = `/api/v1/namespaces/${namespace}/pods`;
const hashLabel = 'rollouts-pod-template-hash';

/** One node and its kubelet: pods of `production` are the stand-ins of serving/ as processes of this host. */
export class PlayedNode {
  readonly #api: Transport;
  readonly #behaviours: Behaviours;
  readonly #targets: string;
  readonly #urlOf: (service: string) => string;
  readonly #played = new Map<string, Played>();
  /** Hash of every address that a pod ever had. */
  readonly hashes = new Map<string, string>();
  #next = 1;
  #ended = false;
  #loop: Promise<void> | undefined;

  constructor(options: {
    readonly api: Transport;
    readonly behaviours: Behaviours;
    /** File in which Prometheus finds what to scrape. */
    readonly targets: string;
    /** Where the Service of a name answers. */
    readonly urlOf: (service: string) => string;
  }) {
    this.#api = options.api;
    this.#behaviours = options.behaviours;
    this.#targets = options.targets;
    this.#urlOf = options.urlOf;
    this.#writeTargets();
  }

  /** Port of the process behind a pod's address. */
  portOf(ip: string): number | undefined {
    return [...this.#played.values()].find((one) => one.ip === ip)?.port;
  }

  async #send(method: string, path: string, body?: object, type = 'application/json') {
    return this.#api.send({
      method,
      path,
      headers: { 'content-type': type },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }

  async start(): Promise<void> {
    await this.#send('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1', labels: { workload: 'general' } },
    });
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const { items } = JSON.parse((await this.#send('GET', pods)).body) as { items: readonly Pod[] };
      const names = new Set(items.map(({ metadata }) => metadata.name));
      for (const pod of items) await this.#keep(pod).catch(() => undefined);
      for (const name of this.#played.keys()) if (!names.has(name)) this.#stop(name);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async #keep({ metadata, spec }: Pod): Promise<void> {
    const { name } = metadata;
    if (metadata.deletionTimestamp !== undefined) {
      this.#stop(name);
      await this.#send('DELETE', `${pods}/${name}`, { gracePeriodSeconds: 0 });
    } else if (spec.nodeName === undefined) {
      const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
      await this.#send('POST', `${pods}/${name}/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name },
        target,
      });
    } else if (!this.#played.has(name)) {
      await this.#begin({ metadata, spec });
    } else await this.#becomeReady(name);
  }

  async #begin({ metadata, spec }: Pod): Promise<void> {
    const [container] = spec.containers;
    if (!container) return;
    const ip = `10.244.0.${this.#next}`;
    this.#next += 1;
    const [port, metricsPort] = [await freePort(), await freePort()];
    const isSmoke = container.name === 'smoke';
    const args = (container.args ?? []).map((word) =>
      word.replace(/^http:\/\/([a-z-]+)$/, (_, service: string) => this.#urlOf(service)),
    );
    const child = spawn(process.execPath, [isSmoke ? 'serving/smoke.ts' : 'serving/main.ts', ...args], {
      stdio: 'ignore',
      env: {
        ...process.env,
        ...this.#behaviours[/@sha256:(.)/.exec(container.image)?.[1] ?? ''],
        PORT: String(port),
        METRICS_PORT: String(metricsPort),
      },
    });
    const hash = metadata.labels[hashLabel];
    if (hash !== undefined) this.hashes.set(ip, hash);
    this.#played.set(metadata.name, { child, ip, hash, port, metricsPort, ready: false });
    await this.#status(metadata.name, 'Running', { state: { running: {} }, ready: isSmoke });
    if (isSmoke) child.once('exit', (code) => void this.#over(metadata.name, code ?? 1));
  }

  async #over(name: string, exitCode: number): Promise<void> {
    if (!this.#played.has(name)) return;
    const state = { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } };
    await this.#status(name, exitCode === 0 ? 'Succeeded' : 'Failed', { state, ready: false });
  }

  async #becomeReady(name: string): Promise<void> {
    const one = this.#played.get(name);
    if (!one || one.ready || one.hash === undefined) return;
    const { ok } = await fetch(`http://127.0.0.1:${one.port}/ready`);
    if (!ok) return;
    one.ready = true;
    this.#writeTargets();
    await this.#status(name, 'Running', { state: { running: {} }, ready: true });
  }

  async #status(name: string, phase: string, container: { state: object; ready: boolean }): Promise<void> {
    const { ip, hash } = this.#played.get(name) ?? {};
    const condition = (type: string, holds: boolean) => ({ type, status: holds ? 'True' : 'False' });
    const status = {
      phase,
      podIP: ip,
      podIPs: [{ ip }],
      startTime: new Date().toISOString(),
      conditions: [
        condition('PodScheduled', true),
        condition('Initialized', true),
        condition('ContainersReady', container.ready),
        condition('Ready', container.ready),
      ],
      containerStatuses: [
        {
          name: hash === undefined ? 'smoke' : 'backend-api',
          image: '',
          imageID: '',
          restartCount: 0,
          ...container,
        },
      ],
    };
    await this.#send('PATCH', `${pods}/${name}/status`, { status }, 'application/merge-patch+json');
  }

  #stop(name: string): void {
    const one = this.#played.get(name);
    this.#played.delete(name);
    one?.child.kill('SIGKILL');
    this.#writeTargets();
  }

  #writeTargets(): void {
    const targets = [...this.#played.values()]
      .filter(({ ready }) => ready)
      .map(({ metricsPort, hash = '', ip }) => ({
        targets: [`127.0.0.1:${metricsPort}`],
        labels: { job: 'backend-api', rollouts_pod_template_hash: hash, pod: ip },
      }));
    writeFileSync(this.#targets, JSON.stringify(targets));
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#loop;
    for (const name of this.#played.keys()) this.#stop(name);
  }
}
