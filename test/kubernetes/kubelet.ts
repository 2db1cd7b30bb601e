import type { V1Pod } from '@kubernetes/client-node';
import { jobContainer, jobNamespace, ourJobs, podJobLabel } from '../../lib/kubernetes/job-labels.ts';
import { parseObjects } from '../../lib/kubernetes/json.ts';
import type { Transport } from '../../lib/kubernetes/transport.ts';

/** What a job of the tests does, told by its first argument. */
export type Does =
  | 'succeeds'
  | 'fails'
  | 'rejects'
  | 'waits'
  | 'unplaceable'
  | 'unstartable'
  | 'too-large'
  | 'ignores-sigterm';

const endings: Readonly<Partial<Record<Does, { exitCode: number; message?: string; reason?: string }>>> = {
  succeeds: { exitCode: 0, message: JSON.stringify({ answer: 42 }) },
  fails: { exitCode: 1, message: JSON.stringify({ error: { code: 'BROKEN', message: 'it broke' } }) },
  rejects: { exitCode: 65, message: JSON.stringify({ error: { code: 'DATA_EMPTY', message: 'no rows' } }) },
  'too-large': { exitCode: 137, reason: 'OOMKilled' },
};

const pods = `/api/v1/namespaces/${jobNamespace}/pods`;
const mergePatch = { 'content-type': 'application/merge-patch+json' };

/**
 * Scheduler and kubelet in one, scripted, over the API alone: so the same jobs run on the stand-in and on a real API server
 * with the real job controller. Pods are bound to `nodeName`, started, and ended as their first argument says.
 */
export class ScriptedKubelet {
  readonly #transport: Transport;
  readonly #nodeName: string;
  readonly #stop = new AbortController();
  /** How often each job's container was started. */
  readonly starts = new Map<string, number>();
  readonly #known = new Set<string>();
  /** What a pod does: by its first argument, unless a test says otherwise. */
  script: (pod: V1Pod) => Does = (pod) => (pod.spec?.containers[0]?.args?.[0] ?? 'succeeds') as Does;
  /** The message that a pod's container leaves; that of what it does where a test says nothing. */
  message: (pod: V1Pod) => string | undefined = () => undefined;
  #running: Promise<void> | undefined;

  constructor(transport: Transport, nodeName = 'node-1') {
    this.#transport = transport;
    this.#nodeName = nodeName;
  }

  /** Follows the pods until `close`. */
  start(): void {
    this.#running = this.#follow();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    // Its server may be gone already.
    await this.#running?.catch(() => undefined);
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const { body, status } = await this.#transport.send({
        method: 'GET',
        path: `${pods}?labelSelector=${encodeURIComponent(ourJobs)}`,
      });
      if (status !== 200) continue;
      const list = parseObjects<{ metadata: { resourceVersion: string }; items: V1Pod[] }>(body);
      for (const pod of list.items) void this.#handle(pod);
      const query = new URLSearchParams({
        watch: 'true',
        labelSelector: ourJobs,
        resourceVersion: list.metadata.resourceVersion,
      });
      await this.#transport
        .stream(
          `${pods}?${query}`,
          (line) => {
            const { type, object } = parseObjects<{ type: string; object: V1Pod }>(line);
            if (type === 'ADDED' || type === 'MODIFIED') void this.#handle(object);
          },
          this.#stop.signal,
        )
        .catch(() => undefined);
    }
  }

  async #handle(pod: V1Pod): Promise<void> {
    const { name = '', deletionTimestamp, labels } = pod.metadata ?? {};
    const does = this.script(pod);
    if (deletionTimestamp !== undefined) return this.#once(`end ${name}`, () => this.#terminate(pod, does));
    if (pod.spec?.nodeName !== undefined) return;
    await this.#once(`start ${name}`, async () => {
      if (does === 'unplaceable') return this.#refuse(name);
      await this.#bind(name);
      if (does === 'unstartable')
        return this.#status(name, 'Pending', {
          waiting: { reason: 'ImagePullBackOff', message: 'no such digest' },
        });
      const job = labels?.[podJobLabel] ?? '';
      this.starts.set(job, (this.starts.get(job) ?? 0) + 1);
      await this.#status(name, 'Running', { running: { startedAt: now() } });
      const ending = endings[does];
      const message = this.message(pod);
      if (ending) await this.#finish(name, message === undefined ? ending : { ...ending, message });
    });
  }

  async #once(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#known.has(what)) return;
    this.#known.add(what);
    await work().catch(() => this.#known.delete(what));
  }

  async #refuse(name: string): Promise<void> {
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient cpu.',
      lastTransitionTime: now(),
    };
    await this.#send('PATCH', `${pods}/${name}/status`, { status: { conditions: [condition] } });
  }

  async #bind(name: string): Promise<void> {
    await this.#send('POST', `${pods}/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace: jobNamespace },
      target: { apiVersion: 'v1', kind: 'Node', name: this.#nodeName },
    });
  }

  /** SIGTERM: the job checkpoints and leaves with 143, or is killed when it does not. */
  async #terminate(pod: V1Pod, does: Does): Promise<void> {
    const name = pod.metadata?.name ?? '';
    if (pod.status?.phase === 'Running')
      await this.#finish(name, { exitCode: does === 'ignores-sigterm' ? 137 : 143 });
    await this.#send('DELETE', `${pods}/${name}?gracePeriodSeconds=0`, {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
    });
  }

  async #finish(
    name: string,
    ending: { exitCode: number; message?: string; reason?: string },
  ): Promise<void> {
    const terminated = {
      reason: ending.exitCode === 0 ? 'Completed' : 'Error',
      startedAt: now(),
      finishedAt: now(),
      ...ending,
    };
    await this.#status(name, ending.exitCode === 0 ? 'Succeeded' : 'Failed', { terminated });
  }

  async #status(name: string, phase: string, state: object): Promise<void> {
    const running = 'running' in state;
    const containerStatuses = [
      {
        name: jobContainer,
        image: 'x',
        imageID: 'x',
        restartCount: 0,
        ready: running,
        started: running,
        state,
      },
    ];
    const status = { phase, startTime: now(), containerStatuses };
    const { body } = await this.#send('GET', `${pods}/${name}`);
    const before =
      (JSON.parse(body) as { status?: { conditions?: { type: string }[] } }).status?.conditions ?? [];
    const ready = { type: 'Ready', status: running ? 'True' : 'False', lastTransitionTime: now() };
    const conditions = [...before.filter(({ type }) => type !== 'Ready'), ready];
    await this.#send('PATCH', `${pods}/${name}/status`, { status: { ...status, conditions } });
  }

  async #send(method: string, path: string, body?: object): Promise<{ body: string }> {
    const headers = method === 'PATCH' ? mergePatch : { 'content-type': 'application/json' };
    const answer = await this.#transport.send({
      method,
      path,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer;
  }
}

/** Now, with the whole seconds that Kubernetes keeps. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
