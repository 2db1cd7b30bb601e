import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { Transport } from '../../../../lib/kubernetes/transport.ts';
import { freePort } from '../../../free-port.ts';
import { programPath } from '../../kubernetes/build.ts';
import { ControlPlane } from '../../kubernetes/control-plane.ts';
import { Beside } from '../processes.ts';
import { Prometheus } from '../prometheus.ts';
import { controllerPath, definitionsFolder } from './build.ts';
import { PlayedNetwork, Users } from './network.ts';
import { type Behaviours, PlayedNode } from './node.ts';

/** What a Rollout says of itself. */
export interface RolloutState {
  readonly generation: number;
  readonly observed: number;
  readonly hash: string;
  readonly active: string;
  readonly phase: string;
  readonly abort: boolean;
}

/** A measurement of an analysis. */
export interface Measurement {
  readonly run: string;
  readonly metric: string;
  readonly phase: string;
  readonly finishedAt: string;
}

const prometheusInCluster = 'http://kube-prometheus-stack-prometheus.monitoring.svc:9090';
const rollouts = '/apis/argoproj.io/v1alpha1/namespaces/production';

/** Controllers that a Rollout needs beside its own. */
const neededControllers = [
  'replicaset-controller',
  'endpointslice-controller',
  'horizontal-pod-autoscaler-controller',
];

/** Kinds of other operators, which this API server does not know; test:conformance:kubernetes has it take them. */
const others: ReadonlySet<string> = new Set(['PrometheusRule', 'SecretStore', 'ExternalSecret']);

type Tree = Record<string, never>;

interface Applied {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** The real API server and controllers, that of Argo Rollouts among them, a real Prometheus; node and network are played. */
export class Cluster {
  readonly #plane: ControlPlane;
  readonly #api: Transport;
  readonly #node: PlayedNode;
  readonly #prometheus: Prometheus;
  readonly #controller: Beside;
  readonly network: PlayedNetwork;
  readonly #folder = mkdtempSync(join(tmpdir(), 'epsilon-release-'));
  #users: Users | undefined;

  private constructor(parts: {
    readonly plane: ControlPlane;
    readonly api: Transport;
    readonly node: PlayedNode;
    readonly network: PlayedNetwork;
    readonly prometheus: Prometheus;
    readonly controller: Beside;
  }) {
    this.#plane = parts.plane;
    this.#api = parts.api;
    this.#node = parts.node;
    this.network = parts.network;
    this.#prometheus = parts.prometheus;
    this.#controller = parts.controller;
  }

  static async start(behaviours: Behaviours): Promise<Cluster> {
    const plane = await ControlPlane.start(programPath(), neededControllers);
    const made = plane.kubectl('apply', '--server-side', '-f', definitionsFolder());
    if (made.status !== 0 && !/rollout/.test(made.text)) throw new Error(made.text);
    plane.kubectl('wait', '--for=condition=Established', '--all', 'crd');
    plane.kubectl('create', 'namespace', 'argo-rollouts');
    const api = plane.transport('admin');
    const targets = join(mkdtempSync(join(tmpdir(), 'epsilon-targets-')), 'targets.json');
    let network: PlayedNetwork | undefined;
    const urlOf = (service: string) => network?.urlOf(service) ?? '';
    const node = new PlayedNode({ api, behaviours, targets, urlOf });
    network = new PlayedNetwork({ api, portOf: (ip) => node.portOf(ip), hashes: node.hashes });
    const prometheus = await Prometheus.start({ groups: [], targets: {}, discovered: targets });
    const [health, metrics] = [await freePort(), await freePort()];
    const controller = new Beside(controllerPath(), [
      `--kubeconfig=${plane.kubeconfig}`,
      '--leader-elect=false',
      `--healthzPort=${health}`,
      `--metricsPort=${metrics}`,
    ]);
    await network.start(['backend-api', 'backend-api-preview']);
    await node.start();
    return new Cluster({ plane, api, node, network, prometheus, controller });
  }

  /** The tree of a release whose images have this digit as their digest, as kustomize builds it. */
  tree(digit: string): string {
    const folder = join(this.#folder, `${digit}-${Date.now()}`);
    cpSync('infra/k8s/serving', folder, { recursive: true });
    const images = ['backend-api', 'ml-engine', 'smoke']
      .map((name) => `${name} registry.example.com/${name}@sha256:${digit.repeat(64)}`)
      .join('\n');
    const written = spawnSync(resolve('infra/release/write-images.sh'), ['production'], {
      input: `${images}\n`,
      encoding: 'utf8',
    });
    if (written.status !== 0) throw new Error(written.stderr);
    writeFileSync(join(folder, 'production/images/kustomization.yaml'), written.stdout);
    const { status, text } = this.#plane.kubectl('kustomize', join(folder, 'production'));
    if (status !== 0) throw new Error(text);
    const file = join(folder, 'tree.yaml');
    writeFileSync(file, this.#played(text));
    return file;
  }

  /** Without ml-engine, whose manifest is the same, and with the address of this host's Prometheus. */
  #played(text: string): string {
    return (
      parseAllDocuments(text.replaceAll(prometheusInCluster, this.#prometheus.url))
        .map((document) => document.toJSON() as Applied)
        // Argo CD runs hooks apart from what it applies.
        .filter(({ metadata }) => metadata.annotations?.['argocd.argoproj.io/hook'] === undefined)
        .filter(({ kind, metadata }) => !others.has(kind) && !metadata.name.startsWith('ml-engine'))
        .map((one) => stringify(one, { lineWidth: 0 }))
        .join('---\n')
    );
  }

  /** Applies a tree as Argo CD does: client-side, all of it. */
  apply(file: string): void {
    const first = this.#plane.kubectl('apply', '-f', file);
    // The namespace first: what is in it may come before it is there.
    const { status, text } = first.status === 0 ? first : this.#plane.kubectl('apply', '-f', file);
    if (status !== 0) throw new Error(text);
  }

  async #get<T>(path: string): Promise<T> {
    return JSON.parse((await this.#api.send({ method: 'GET', path })).body) as T;
  }

  async rollout(): Promise<RolloutState> {
    const { metadata, status } = await this.#get<{ metadata: Tree; status: Tree }>(
      `${rollouts}/rollouts/backend-api`,
    );
    const { blueGreen } = status as { blueGreen?: { activeSelector?: string } };
    return {
      generation: Number(metadata['generation']),
      observed: Number(status['observedGeneration']),
      hash: String(status['currentPodHash'] ?? ''),
      active: blueGreen?.activeSelector ?? '',
      phase: String(status['phase'] ?? ''),
      abort: Boolean(status['abort']),
    };
  }

  /** Everything that was measured, in order. */
  async measurements(): Promise<Measurement[]> {
    type Run = {
      metadata: { name: string };
      status?: {
        metricResults?: { name: string; measurements?: { phase: string; finishedAt?: string }[] }[];
      };
    };
    const { items } = await this.#get<{ items: Run[] }>(`${rollouts}/analysisruns`);
    return items
      .flatMap(({ metadata, status }) =>
        (status?.metricResults ?? []).flatMap(({ name, measurements = [] }) =>
          measurements.map(({ phase, finishedAt = '' }) => ({
            run: metadata.name,
            metric: name,
            phase,
            finishedAt,
          })),
        ),
      )
      .toSorted((one, other) => (one.finishedAt < other.finishedAt ? -1 : 1));
  }

  async replicas(): Promise<number> {
    const { spec } = await this.#get<{ spec: { replicas?: number } }>(`${rollouts}/rollouts/backend-api`);
    return spec.replicas ?? 1;
  }

  users(): Users {
    this.#users ??= new Users(this.network.urlOf('backend-api'), 20);
    return this.#users;
  }

  get controllerSaid(): string {
    return this.#controller.said;
  }

  async end(): Promise<void> {
    this.#users?.leave();
    await this.#controller.end();
    await this.network.end();
    await this.#node.end();
    await this.#prometheus.end();
    await this.#plane.close();
  }
}
