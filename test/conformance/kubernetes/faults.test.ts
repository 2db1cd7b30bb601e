import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKubernetesClient } from '../../../lib/kubernetes/client.ts';
import { KubernetesJobRunner } from '../../../lib/kubernetes/job-runner.ts';
import { deployment, isOver, specOf } from '../../kubernetes/harness.ts';
import { ScriptedKubelet } from '../../kubernetes/kubelet.ts';
import type { Told } from '../../kubernetes/watching.ts';
import { applyDefinitions, applyOverlay } from './apply.ts';
import { ControlPlane, until, variables } from './control-plane.ts';

/** What breaks in a real cluster, on a control plane of its own. Seconds that are worth publishing are printed. */
let plane: ControlPlane;
let runner: KubernetesJobRunner;
let kubelets: ScriptedKubelet[] = [];
let replicas: Replica[] = [];

const secondsSince = (began: number) => Math.round((performance.now() - began) / 100) / 10;
const print = (what: string, seconds: number) => process.stdout.write(`measured: ${what}: ${seconds} s\n`);

/** A watcher as a process, and what it told the bus. */
class Replica {
  readonly told: Told[] = [];
  readonly #child: ChildProcess;

  constructor(identity: string) {
    const { [variables.server]: server = '', [variables.ca]: ca = '' } = plane.environment;
    this.#child = fork(resolve('test/kubernetes/watcher-process.ts'), [server, ca, identity]);
    this.#child.on('message', (message: { told?: Told[] }) => this.told.push(...(message.told ?? [])));
    replicas.push(this);
  }

  leads(): Promise<boolean> {
    return new Promise((answer) => {
      const hear = (message: object) => {
        if (!('leads' in message)) return;
        this.#child.off('message', hear);
        answer(message.leads === true);
      };
      this.#child.on('message', hear);
      this.#child.send('usage');
    });
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill('SIGKILL');
    await gone;
  }
}

const ends = (jobName: string) =>
  replicas.flatMap(({ told }) =>
    told.filter((one) => one.jobName === jobName && (one.state === 'succeeded' || one.state === 'failed')),
  );
const told = (jobName: string, seconds = 30) =>
  until(`the end of ${jobName} is told`, async () => ends(jobName).length > 0, seconds);

async function leader(): Promise<Replica> {
  const replica = new Replica(`replica-${replicas.length + 1}`);
  await until('it leads', () => replica.leads());
  return replica;
}

/**
 * A kubelet gives up when its server is gone: after each outage there is another. Its node has to be on record: of a pod whose node is not,
 * the collector of pods makes a disruption after 40 seconds.
 */
async function startKubelet(nodeName = 'node-1'): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } };
  const headers = { 'content-type': 'application/json' };
  await plane
    .transport('admin')
    .send({ method: 'POST', path: '/api/v1/nodes', headers, body: JSON.stringify(node) });
  const kubelet = new ScriptedKubelet(plane.transport('admin'), nodeName);
  kubelet.start();
  kubelets.push(kubelet);
}

async function stopKubelets(): Promise<void> {
  await Promise.all(kubelets.map((kubelet) => kubelet.close()));
  kubelets = [];
}

async function outage(meanwhile: () => void | Promise<void>): Promise<void> {
  await stopKubelets();
  for (const part of ['controllers', 'api', 'etcd'] as const) await plane.kill(part, 'SIGKILL');
  await meanwhile();
  plane.restart('etcd');
  plane.restart('api');
  await plane.ready();
  plane.restart('controllers');
  await startKubelet();
}

beforeAll(async () => {
  plane = await ControlPlane.start(process.env[variables.program] ?? '');
  const checks = [...applyDefinitions(plane.kubectl), applyOverlay(plane.kubectl, 'prod')];
  expect(checks.filter(({ fault }) => fault !== undefined)).toEqual([]);
  runner = new KubernetesJobRunner({ client: createKubernetesClient(plane.transport('runner')), deployment });
});

afterEach(async () => {
  await stopKubelets();
  await Promise.all(replicas.map((replica) => replica.kill()));
  replicas = [];
  plane.kubectl('-n', 'ml-jobs', 'delete', 'jobs,pods', '--all', '--grace-period=0', '--force');
  plane.kubectl('delete', 'nodes', '--all');
});

afterAll(() => plane.close());

describe('the watcher', () => {
  it('that leads is killed: the other takes its lease within 25 seconds and tells what ended meanwhile', async () => {
    await startKubelet();
    const first = await leader();
    const second = new Replica('second');
    await runner.submit(specOf('succeeds', 'before-1'));
    await told('before-1');
    await first.kill();
    const began = performance.now();
    await runner.submit(specOf('succeeds', 'meanwhile-1'));
    await until('the second tells it', async () =>
      second.told.some(({ jobName }) => jobName === 'meanwhile-1'),
    );
    const seconds = secondsSince(began);
    print('leader killed until the other told the end that waited', seconds);
    // The lease lasts 15 seconds, and the other looks every 3; the rest is this host.
    expect(seconds).toBeLessThan(25);
    expect(ends('meanwhile-1')).toMatchObject([{ state: 'succeeded', result: { answer: 42 } }]);
  });

  it('outlives an API server that is killed: it leads again, and tells each later end once', async () => {
    await startKubelet();
    const replica = await leader();
    await runner.submit(specOf('waits', 'across-1'));
    await until('it runs', async () => replica.told.some(({ state }) => state === 'running'));
    await stopKubelets();
    await plane.kill('api', 'SIGKILL');
    await until('it stops leading', async () => !(await replica.leads()));
    plane.restart('api');
    await plane.ready();
    const began = performance.now();
    await startKubelet();
    await until('it leads again', () => replica.leads());
    print('API server back until the watcher leads again', secondsSince(began));
    await runner.cancel({ jobName: 'across-1', jobId: '' }, 'enough');
    await told('across-1');
    await runner.submit(specOf('succeeds', 'after-1'));
    await told('after-1');
    expect(ends('across-1')).toMatchObject([{ reason: 'cancelled' }]);
    expect(ends('after-1')).toHaveLength(1);
  });

  it('sees that etcd was restored from a backup, and goes on with what there is now', async () => {
    await startKubelet();
    const replica = await leader();
    await runner.submit(specOf('waits', 'kept-1'));
    await until('it runs', async () => replica.told.some(({ state }) => state === 'running'));
    await outage(() => plane.backUp());
    for (const name of ['lost-1', 'lost-2', 'lost-3']) await runner.submit(specOf('succeeds', name));
    for (const name of ['lost-1', 'lost-2', 'lost-3']) await told(name);
    await outage(() => plane.restore());
    expect(await runner.find('lost-1')).toBeUndefined();
    const began = performance.now();
    await runner.submit(specOf('succeeds', 'later-1'));
    await told('later-1', 60);
    print('etcd restored until the end of the next job is told', secondsSince(began));
    expect(ends('kept-1')).toEqual([]);
    await runner.cancel({ jobName: 'kept-1', jobId: '' }, 'enough');
    await told('kept-1');
    for (const name of ['lost-1', 'lost-2', 'lost-3', 'later-1', 'kept-1'])
      expect(ends(name)).toHaveLength(1);
  });
});

describe('a job', () => {
  it('whose node is deleted is over as preempted, once the collector of pods has seen it', async () => {
    await startKubelet('node-9');
    const replica = await leader();
    await runner.submit(specOf('waits', 'gone-1'));
    await until('it runs', async () => replica.told.some(({ state }) => state === 'running'));
    await stopKubelets();
    const began = performance.now();
    plane.kubectl('delete', 'node', 'node-9');
    await told('gone-1', 150);
    print('node deleted until its job is told as preempted', secondsSince(began));
    expect(ends('gone-1')).toMatchObject([{ reason: 'preempted' }]);
  }, 200_000);

  it('is removed when its time to live is over, and is not told as lost', async () => {
    await startKubelet();
    await leader();
    await runner.submit(specOf('succeeds', 'kept-short-1'));
    await told('kept-short-1');
    const patch = '{"spec":{"ttlSecondsAfterFinished":1}}';
    expect(plane.kubectl('-n', 'ml-jobs', 'patch', 'job', 'kept-short-1', '-p', patch).status).toBe(0);
    await until('it is removed', async () => (await runner.find('kept-short-1')) === undefined);
    await runner.submit(specOf('succeeds', 'later-2'));
    await told('later-2');
    expect(ends('kept-short-1')).toHaveLength(1);
  });

  it('beyond the quota is refused as Throttled, and taken when there is room again', async () => {
    await startKubelet();
    const quota = (jobs: number) =>
      plane.kubectl(
        '-n',
        'ml-jobs',
        'patch',
        'resourcequota',
        'jobs',
        '-p',
        JSON.stringify({ spec: { hard: { 'count/jobs.batch': String(jobs) } } }),
      );
    await runner.submit(specOf('succeeds', 'first-1'));
    await until('it is over', async () =>
      isOver((await runner.find('first-1')) ?? ({ state: 'pending' } as never)),
    );
    expect(quota(1).status).toBe(0);
    await until('the quota is full', async () => {
      const error = await runner.submit(specOf('succeeds', 'second-1')).catch((thrown: Error) => thrown);
      return error instanceof Error && error.name === 'Throttled' && error.message.includes('exceeded quota');
    });
    expect(await runner.find('second-1')).toBeUndefined();
    expect(quota(30_000).status).toBe(0);
    await until(
      'there is room',
      async () => (await runner.submit(specOf('succeeds', 'second-1'))).jobName !== '',
    );
    await until('it is over', async () =>
      isOver((await runner.find('second-1')) ?? ({ state: 'pending' } as never)),
    );
  });
});
