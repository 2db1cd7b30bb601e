import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './harness.ts';
import { openStage, type StageWorld } from './stage-harness.ts';
import { TestBus } from './watching.ts';

let world: StageWorld;
beforeEach(async () => {
  world = await openStage();
});
afterEach(() => world.close());

const jobName = 'acme.2026-11-24.prepare.1';
const jobs = () => world.cluster.server.store.list('jobs').map(({ metadata }) => metadata.name);
const starts = (name = jobName) => world.cluster.kubelet.starts.get(name) ?? 0;
const answered = (count = 1) =>
  eventually(() => (world.answers.length >= count ? world.answers : undefined), 'an answer');
const running = (name = jobName) => world.cluster.observed(name, ({ state }) => state === 'running');
const isCreate = ({ method, path }: { method: string; path: string }) =>
  method === 'POST' && path.endsWith('/jobs');

describe('a stage on Kubernetes', () => {
  it('is one Job, whose end the watcher tells and completeJob answers with the result', async () => {
    world.watch();
    await world.enter('token-1');
    expect(await answered()).toMatchObject([
      {
        token: 'token-1',
        output: {
          stage: 'prepare',
          attempt: 1,
          outputUri: 's3://embeddings-saas-data/acme/runs/acme-2026-11-24/prepare/1/',
          result: { answer: 42 },
        },
      },
    ]);
    expect([jobs(), starts()]).toEqual([[jobName], 1]);
    expect(await world.attempts()).toMatchObject([{ status: 'succeeded', capacity: 'spot' }]);
  });

  it.each([
    ['fails', 'JobFailed', 'BROKEN: it broke'],
    ['rejects', 'JobRejected', 'DATA_EMPTY: no rows'],
  ] as const)('that %s is told as %s, in the words of the job', async (does, error, cause) => {
    world.does = does;
    world.watch();
    await world.enter('token-1');
    expect(await answered()).toEqual([{ token: 'token-1', error, cause }]);
  });

  it('keeps its task alive while it runs', async () => {
    world.does = 'waits';
    world.watch();
    await world.enter('token-1');
    await eventually(() => (world.heartbeats.length >= 2 ? true : undefined), 'two heartbeats');
    expect(new Set(world.heartbeats)).toEqual(new Set(['token-1']));
  });
});

describe('faults of the catalogue', () => {
  it('F8: a crash before the submission: the next entry submits, once', async () => {
    world.cluster.server.fault = (seen) => (isCreate(seen) ? { status: 503 } : undefined);
    await expect(world.enter('token-1')).rejects.toMatchObject({ name: 'Throttled' });
    expect([jobs(), await world.attempts()]).toMatchObject([[], [{ status: 'intent' }]]);
    world.cluster.server.fault = () => undefined;
    await world.enter('token-2');
    await world.cluster.ended(jobName);
    expect([jobs(), starts()]).toEqual([[jobName], 1]);
  });

  it.each([
    ['F9: a crash after the submission, before its id is on record', 'the record'],
    ['F10: a submission that was done but never answered', 'the answer'],
  ])('%s: the next entry adopts the job', async (_fault, lost) => {
    world.does = 'waits';
    if (lost === 'the answer')
      world.cluster.server.fault = ({ method, path }) => {
        if (path.endsWith('/jobs') && method === 'POST') return 'answer lost';
        return path.includes('/jobs/') ? { status: 503 } : undefined;
      };
    else
      world.cluster.server.fault = (seen) =>
        isCreate(seen) || seen.path.includes('/jobs/') ? 'answer lost' : undefined;
    await expect(world.enter('token-1')).rejects.toMatchObject({ name: 'Throttled' });
    world.cluster.server.fault = () => undefined;
    await running();
    await world.enter('token-2');
    expect([jobs(), starts()]).toEqual([[jobName], 1]);
    world.watch();
    await world.cluster.runner.cancel({ jobName, jobId: '' }, 'preempted: the test is over');
    expect(await answered()).toMatchObject([{ token: 'token-2', error: 'JobPreempted' }]);
  });

  it('F11: a second invocation of an entry that timed out finds the same job', async () => {
    world.does = 'waits';
    await world.enter('token-1');
    await world.enter('token-1');
    await running();
    expect([jobs(), starts(), (await world.attempts()).length]).toEqual([[jobName], 1, 1]);
  });

  it('F11: an entry that is repeated after its finished job was removed makes no second job: the record protects', async () => {
    await world.enter('token-1');
    await world.cluster.ended(jobName);
    await world.reconcile();
    world.cluster.server.store.remove('jobs', jobName);
    await world.enter('token-1');
    await world.reconcile();
    expect([jobs(), starts(), (await world.attempts()).length]).toEqual([[], 1, 1]);
    expect(world.answers.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  it('F4: a lost event: the reconciler finds the finished job', async () => {
    await world.enter('token-1');
    await world.cluster.ended(jobName);
    await world.reconcile();
    expect(world.answers).toMatchObject([{ token: 'token-1', output: { result: { answer: 42 } } }]);
  });

  it('F5: the same end told twice, by two watchers, is answered once', async () => {
    const bus = new TestBus();
    const { startReplica } = await import('./watching.ts');
    const replica = startReplica(world.cluster.server, { bus, clock: world.clock });
    await world.enter('token-1');
    await eventually(() => bus.ends(jobName)[0], 'the end');
    await replica.stop();
    const event = bus.events.find(
      ({ detail }) => (detail['data'] as { state: string }).state === 'succeeded',
    );
    if (!event) throw new Error('no event');
    expect([await world.complete(event), await world.complete(event)]).toEqual([
      { outcome: 'settled' },
      { outcome: 'repeated' },
    ]);
    expect(world.answers).toHaveLength(1);
  });

  it('F12: a Job that somebody deleted is lost, told by the watcher and, without it, by the reconciler', async () => {
    world.does = 'waits';
    await world.enter('token-1');
    await running();
    // Nothing is kept after a submission: a Job counts as submitted once somebody has seen it.
    await world.reconcile();
    world.cluster.server.store.remove('jobs', jobName);
    await world.reconcile();
    expect(world.answers).toMatchObject([{ token: 'token-1', error: 'JobLost' }]);
    world.watch();
    await world.enter('token-2');
    const second = 'acme.2026-11-24.prepare.2';
    await running(second);
    await eventually(
      () => (world.heartbeats.includes('token-2') ? true : undefined),
      'the watcher has seen it',
    );
    world.cluster.server.store.remove('jobs', second);
    expect((await answered(2))[1]).toMatchObject({ token: 'token-2', error: 'JobLost' });
  });

  it('F15: a spot notice: the jobs of the instance leave, and the next attempt follows', async () => {
    world.cluster.server.store.create('nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1', labels: { workload: 'training' } },
      spec: { providerID: 'aws:///us-west-2a/i-0123456789abcdef0' },
    });
    world.does = 'waits';
    world.watch();
    await world.enter('token-1');
    await running();
    expect(await world.vacate('i-0123456789abcdef0')).toMatchObject({ found: 1, vacated: 1 });
    expect(await answered()).toMatchObject([{ error: 'JobPreempted' }]);
    world.does = 'succeeds';
    await world.enter('token-2');
    expect((await answered(2))[1]).toMatchObject({ token: 'token-2', output: { attempt: 2 } });
  });

  it('F16: a node that goes without notice: its pod is gone with it, the job counts as preempted', async () => {
    world.does = 'waits';
    world.watch();
    await world.enter('token-1');
    await running();
    const pod = world.cluster.server.store.list('pods')[0];
    if (!pod) throw new Error('no pod');
    // As the controller that collects pods of lost nodes does it.
    const conditions = [
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        lastTransitionTime: '2026-11-24T03:00:00Z',
      },
    ];
    world.cluster.server.store.update('pods', {
      ...pod,
      status: { ...pod.status, phase: 'Failed', conditions },
    });
    expect(await answered()).toMatchObject([{ error: 'JobPreempted', cause: 'DeletionByPodGC' }]);
  });

  it('F17, F18: preempted again and again it moves to on-demand, and spends the platform’s budget only', async () => {
    world.does = 'waits';
    world.watch();
    for (const attempt of [1, 2, 3]) {
      const name = `acme.2026-11-24.prepare.${attempt}`;
      await world.enter(`token-${attempt}`);
      await running(name);
      await world.cluster.runner.cancel({ jobName: name, jobId: '' }, 'preempted: reclaimed');
      await answered(attempt);
    }
    expect(world.answers.map(({ error }) => error)).toEqual(['JobPreempted', 'JobPreempted', 'JobPreempted']);
    expect((await world.attempts()).map(({ capacity }) => capacity)).toEqual(['spot', 'spot', 'on-demand']);
  });

  it('F22: a task whose heartbeats stopped is entered again and adopts the job: never two', async () => {
    world.does = 'waits';
    await world.enter('token-1');
    await running();
    await world.enter('token-2');
    expect([jobs(), starts()]).toEqual([[jobName], 1]);
    await world.reconcile();
    expect(world.heartbeats).toEqual(['token-2']);
  });

  it('F23: an execution that is stopped stops its job, and the record says so', async () => {
    world.does = 'waits';
    await world.enter('token-1');
    await running();
    await world.abort();
    expect(await world.cluster.ended(jobName)).toMatchObject({ reason: 'cancelled' });
    expect(await world.attempts()).toMatchObject([{ status: 'cancelled' }]);
    expect(world.cluster.server.store.list('pods')).toEqual([]);
  });
});
