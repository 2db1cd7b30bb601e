import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKubernetesClient } from '../../../lib/kubernetes/client.ts';
import { KubernetesJobRunner } from '../../../lib/kubernetes/job-runner.ts';
import { SystemClock } from '../../../lib/system/system-clock.ts';
import { Watcher } from '../../../watcher/watcher.ts';
import { silentLog } from '../../fixtures/silent-log.ts';
import { deployment, specOf } from '../../kubernetes/harness.ts';
import { ScriptedKubelet } from '../../kubernetes/kubelet.ts';
import { TestBus } from '../../kubernetes/watching.ts';
import { type Attached, attach } from './attach.ts';
import { until } from './control-plane.ts';

/** The watcher as its own service account, against the real API server: RBAC, watch, bookmarks and lease are the real ones. */
const clock = new SystemClock();
let cluster: Attached;
let kubelet: ScriptedKubelet;
let runner: KubernetesJobRunner;
let stops: (() => Promise<void>)[] = [];

beforeAll(() => {
  cluster = attach();
  kubelet = new ScriptedKubelet(cluster.transport('admin'));
  kubelet.start();
  runner = new KubernetesJobRunner({
    client: createKubernetesClient(cluster.transport('runner')),
    deployment,
  });
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});

afterAll(async () => {
  await kubelet.close();
  cluster.close();
});

function watch(bus: TestBus, identity: string): Watcher {
  const watcher = new Watcher({
    transport: cluster.transport('watcher'),
    publisher: bus,
    clock,
    random: Math.random,
    log: silentLog,
    identity,
    heartbeatMs: 3_000,
  });
  const stop = new AbortController();
  const run = watcher.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await run;
  });
  return watcher;
}

const leads = (watcher: Watcher) => watcher.figures.value('epsilon_watcher_leading') === 1;

describe('the watcher on a real API server', () => {
  it('tells the end of each job once, evicted, deleted and cancelled ones too, and that the others are alive', async () => {
    const bus = new TestBus();
    const watcher = watch(bus, 'one');
    await until('it leads', async () => leads(watcher));
    for (const [does, name] of [
      ['succeeds', 'w-good-1'],
      ['fails', 'w-bad-1'],
      ['waits', 'w-evicted-1'],
      ['waits', 'w-deleted-1'],
      ['waits', 'w-cancelled-1'],
      ['waits', 'w-alive-1'],
    ] as const)
      await runner.submit(specOf(does, name));
    const running = (name: string) =>
      until(`${name} runs`, async () =>
        bus.data().some((one) => one.jobName === name && one.state === 'running'),
      );
    for (const name of ['w-evicted-1', 'w-deleted-1', 'w-cancelled-1', 'w-alive-1']) await running(name);
    await cluster.evictPodOf('w-evicted-1');
    await cluster.deleteJob('w-deleted-1');
    await runner.cancel({ jobName: 'w-cancelled-1', jobId: '' }, 'not needed');
    const reasons = {
      'w-good-1': 'completed',
      'w-bad-1': 'error',
      'w-evicted-1': 'preempted',
      'w-deleted-1': 'lost',
      'w-cancelled-1': 'cancelled',
    };
    for (const [name, reason] of Object.entries(reasons)) {
      await until(`the end of ${name}`, async () => bus.ends(name).length > 0);
      expect(bus.ends(name)).toMatchObject([{ reason }]);
    }
    expect(bus.ends('w-good-1')[0]).toMatchObject({ result: { answer: 42 } });
    await until(
      'signs of life',
      async () => bus.data().filter(({ jobName }) => jobName === 'w-alive-1').length >= 3,
    );
    for (const name of Object.keys(reasons)) expect(bus.ends(name)).toHaveLength(1);
  });

  it('tells a job that its deadline finds without a node as unplaceable, one that had begun as a timeout', async () => {
    const bus = new TestBus();
    const watcher = watch(bus, 'one');
    await until('it leads', async () => leads(watcher));
    for (const [does, name] of [
      ['unplaceable', 'w-never-1'],
      ['waits', 'w-slow-1'],
    ] as const)
      await runner.submit(specOf(does, name, { timeoutSeconds: 5 }));
    for (const name of ['w-never-1', 'w-slow-1'])
      await until(`the end of ${name}`, async () => bus.ends(name).length > 0);
    expect(bus.ends('w-never-1')).toMatchObject([
      { reason: 'unplaceable', message: expect.stringContaining('not started within 5 seconds') },
    ]);
    expect(bus.ends('w-slow-1')).toMatchObject([{ reason: 'timeout' }]);
  });

  it('hands its lease over when it stops', async () => {
    const bus = new TestBus();
    const first = watch(bus, 'one');
    await until('the first leads', async () => leads(first));
    const second = watch(bus, 'two');
    await runner.submit(specOf('succeeds', 'w-shared-1'));
    await until('it is told', async () => bus.ends('w-shared-1').length > 0);
    expect(leads(second)).toBe(false);
    await stops[0]?.();
    await until('the second leads', async () => leads(second));
    await runner.submit(specOf('succeeds', 'w-later-1'));
    await until('it is told', async () => bus.ends('w-later-1').length > 0);
  });
});

describe('rights of the watcher, as the API server judges them', () => {
  it.each([
    ['GET', '/apis/batch/v1/namespaces/ml-jobs/jobs', 200],
    ['GET', '/api/v1/namespaces/ml-jobs/pods', 200],
    ['GET', '/apis/coordination.k8s.io/v1/namespaces/epsilon/leases/job-watcher', 200],
    ['GET', '/apis/coordination.k8s.io/v1/namespaces/epsilon/leases/other', 403],
    ['GET', '/api/v1/namespaces/ml-jobs/secrets', 403],
    ['GET', '/apis/batch/v1/namespaces/default/jobs', 403],
    ['GET', '/api/v1/nodes', 403],
    ['DELETE', '/apis/batch/v1/namespaces/ml-jobs/jobs/any', 403],
    ['POST', '/apis/batch/v1/namespaces/ml-jobs/jobs', 403],
  ])('%s %s is answered with %d', async (method, path, status) => {
    const answer = await cluster.transport('watcher').send({
      method,
      path,
      ...(method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}),
    });
    expect(answer.status).toBe(status);
  });
});
