import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preemptionReason, unplaceableReason } from '../../lib/training/attempts/stop-reason.ts';
import { type Cluster, openCluster, specOf } from './harness.ts';

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
});
afterEach(() => cluster.close());

const isCreate = ({ method, path }: { method: string; path: string }) =>
  method === 'POST' && path.endsWith('/jobs');
const calls = () =>
  cluster.calls.map(({ method, path }) => `${method} ${path.split('?')[0]?.split('/').slice(-2).join('/')}`);

describe('calls', () => {
  it('a submission is one, an observation of many running jobs is one', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    const refs = await Promise.all(names.map((name) => cluster.runner.submit(specOf('waits', name))));
    expect(calls()).toEqual(names.map(() => 'POST ml-jobs/jobs'));
    for (const name of names) await cluster.observed(name, ({ state }) => state === 'running');
    cluster.calls.length = 0;
    const seen = await cluster.runner.observe(refs);
    expect([...seen.values()].map(({ state }) => state)).toEqual(names.map(() => 'running'));
    expect(calls()).toEqual(['GET ml-jobs/jobs']);
  });

  it('a hundred names go in one selector, more in several', async () => {
    const refs = Array.from({ length: 250 }, (_, index) => ({ jobName: `none-${index}`, jobId: '' }));
    expect((await cluster.runner.observe(refs)).size).toBe(0);
    expect(cluster.calls).toHaveLength(3);
  });

  it('a cancellation reads, then writes once; a second one only reads', async () => {
    const ref = await cluster.runner.submit(specOf('waits', 'long-1'));
    await cluster.observed('long-1', ({ state }) => state === 'running');
    cluster.calls.length = 0;
    await cluster.runner.cancel(ref, 'enough');
    expect(calls()).toEqual(['GET jobs/long-1', 'PATCH jobs/long-1']);
    await cluster.ended('long-1');
    cluster.calls.length = 0;
    await cluster.runner.cancel(ref, 'again');
    expect(calls()).toEqual(['GET jobs/long-1']);
  });

  it('importing the runner, and making it, loads neither the Kubernetes client nor an SDK client', () => {
    const program = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { wireKubernetes } = await import('./lib/aws/wiring/wire-kubernetes.ts');
      const of = { deployment: { eksClusterName: 'c', jobRoleArn: 'arn:aws:iam::1:role/r', partition: 'aws' }, config: { region: 'us-west-2', airflow: { mode: 'off' } } };
      if (wireKubernetes(of).jobs.eks?.backend !== 'eks' || wireKubernetes({ ...of, deployment: {} }).jobs.eks) throw new Error('wrong runners');
      console.log(loaded.filter((url) => /node_modules/.test(url)).length, loaded.length);
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const [packages, all] = stdout.split(' ').map(Number);
    expect(packages).toBe(0);
    expect(all).toBeGreaterThan(5);
  });
});

describe('faults', () => {
  it('F10: a submission whose answer is lost is repeated and finds its own job: one job', async () => {
    let lost = 0;
    cluster.server.fault = (seen) => {
      if (!isCreate(seen) || lost > 0) return undefined;
      lost += 1;
      return 'answer lost';
    };
    const ref = await cluster.runner.submit(specOf('succeeds', 'once-1'));
    expect(lost).toBe(1);
    expect(await cluster.ended('once-1')).toMatchObject({ jobId: ref.jobId, state: 'succeeded' });
    expect(cluster.server.store.list('jobs')).toHaveLength(1);
    expect(cluster.kubelet.starts.get('once-1')).toBe(1);
  });

  it('a name that is not ours is not adopted', async () => {
    const { metadata, ...rest } = JSON.parse(
      JSON.stringify(
        (await import('../../lib/kubernetes/job-manifest.ts')).jobManifest(specOf('waits', 'taken-1'), {
          region: 'r',
          jobRoleArn: 'arn',
        }),
      ),
    );
    cluster.server.store.create('jobs', { ...rest, metadata: { ...metadata, labels: { app: 'other' } } });
    await expect(cluster.runner.submit(specOf('waits', 'taken-1'))).rejects.toMatchObject({
      code: 'JOB_NAME_TAKEN',
    });
  });

  it('a job that changed between reading and stopping is read again: the reason is written on its newest state', async () => {
    const ref = await cluster.runner.submit(specOf('waits', 'busy-1'));
    await cluster.observed('busy-1', ({ state }) => state === 'running');
    let raced = 0;
    cluster.server.fault = ({ method }) => {
      if (method === 'PATCH' && raced < 2) {
        raced += 1;
        const job = cluster.server.store.get('jobs', 'busy-1');
        cluster.server.store.update('jobs', {
          ...job,
          metadata: { ...job.metadata, annotations: { ...job.metadata.annotations, touched: String(raced) } },
        });
      }
      return undefined;
    };
    await cluster.runner.cancel(ref, 'enough');
    expect(raced).toBe(2);
    expect(await cluster.ended('busy-1')).toMatchObject({ reason: 'cancelled', message: 'enough' });
  });

  it('a job that ended before the stop reached it keeps its own end', async () => {
    const ref = await cluster.runner.submit(specOf('succeeds', 'quick-1'));
    await cluster.ended('quick-1');
    await cluster.runner.cancel(ref, 'too late');
    expect(await cluster.runner.find('quick-1')).toMatchObject({
      state: 'succeeded',
      result: { answer: 42 },
    });
  });

  it('F23: a cancelled job is terminated, also one that ignores SIGTERM; the reason outlives its pods', async () => {
    const ref = await cluster.runner.submit(specOf('ignores-sigterm', 'deaf-1'));
    await cluster.observed('deaf-1', ({ state }) => state === 'running');
    await cluster.runner.cancel(ref, 'The execution ended.');
    expect(await cluster.ended('deaf-1')).toMatchObject({
      reason: 'cancelled',
      message: 'The execution ended.',
    });
    expect(cluster.server.store.list('pods')).toEqual([]);
    expect(cluster.server.store.list('jobs')).toHaveLength(1);
  });

  it('F17: a job that is given up for want of a node counts as unplaceable, one that leaves an instance as preempted', async () => {
    const none = await cluster.runner.submit(specOf('unplaceable', 'nowhere-1'));
    const some = await cluster.runner.submit(specOf('waits', 'spot-1'));
    await cluster.observed('nowhere-1', ({ message }) => message !== undefined);
    await cluster.observed('spot-1', ({ state }) => state === 'running');
    await cluster.runner.cancel(none, unplaceableReason('no spot capacity within 600 seconds'));
    await cluster.runner.cancel(some, preemptionReason('the instance is taken away'));
    expect(await cluster.ended('nowhere-1')).toMatchObject({ reason: 'unplaceable' });
    expect(await cluster.ended('spot-1')).toMatchObject({ reason: 'preempted' });
  });

  it.each([429, 500, 502, 503, 504])(
    'F19: %d is asked again, a few times, then told as Throttled',
    async (status) => {
      cluster.server.fault = (seen) => (isCreate(seen) ? { status } : undefined);
      await expect(cluster.runner.submit(specOf('succeeds', 'busy-1'))).rejects.toMatchObject({
        name: 'Throttled',
      });
      expect(cluster.calls.filter(({ method }) => method === 'POST')).toHaveLength(4);
    },
  );

  it('F19: Retry-After is heeded; one that is longer than an invocation is told at once', async () => {
    let left = 2;
    cluster.server.fault = (seen) => {
      if (!isCreate(seen) || left === 0) return undefined;
      left -= 1;
      return { status: 429, headers: { 'retry-after': '1' } };
    };
    await cluster.runner.submit(specOf('succeeds', 'patient-1'));
    cluster.calls.length = 0;
    cluster.server.fault = () => ({ status: 429, headers: { 'retry-after': '600' } });
    await expect(cluster.runner.find('patient-1')).rejects.toMatchObject({ name: 'Throttled' });
    expect(cluster.calls).toHaveLength(1);
  });

  it.each([
    [403, 'KUBERNETES_ACCESS_DENIED', 'create jobs.batch'],
    [401, 'KUBERNETES_UNAUTHENTICATED', 'access entry'],
    [422, 'KUBERNETES_REFUSED', 'create jobs.batch'],
  ])('F20: %d fails at once as %s and names %s', async (status, code, words) => {
    cluster.server.fault = () => ({ status, message: 'said the server' });
    const error = await cluster.runner
      .submit(specOf('succeeds', 'denied-1'))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, details: { verb: 'create', resource: 'jobs.batch' } });
    expect(String(error)).toContain(words);
    // A refused token is renewed once; nothing else is repeated.
    expect(cluster.calls).toHaveLength(status === 401 ? 2 : 1);
  });

  it('a full quota is a queue, not a fault of ours', async () => {
    cluster.server.fault = () => ({ status: 403, message: 'jobs.batch is forbidden: exceeded quota: jobs' });
    await expect(cluster.runner.submit(specOf('succeeds', 'full-1'))).rejects.toMatchObject({
      name: 'Throttled',
    });
  });

  it('a server that does not answer is told as Throttled too: the state machine tries again', async () => {
    cluster.server.fault = ({ path }) => (path.endsWith('/jobs/any-1') ? 'answer lost' : undefined);
    await expect(cluster.runner.find('any-1')).rejects.toMatchObject({ name: 'Throttled' });
    expect(cluster.calls.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
  });
});

describe('instances', () => {
  it('an instance is a node by its provider id; its attempts are those of the pods on it', async () => {
    for (const [name, id] of [
      ['node-1', 'i-0123456789abcdef0'],
      ['node-2', 'i-00000000000000002'],
    ])
      cluster.server.store.create('nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: name ?? '',
          labels: {
            workload: 'training',
            'node.kubernetes.io/instance-type': 'c6i.4xlarge',
            'topology.kubernetes.io/zone': 'us-west-2a',
          },
        },
        spec: { providerID: `aws:///us-west-2a/${id}` },
      });
    await cluster.runner.submit(specOf('waits', 'here-1', { runId: 'run-1', stage: 'index', attempt: 2 }));
    await cluster.runner.submit(specOf('succeeds', 'over-1'));
    await cluster.observed('here-1', ({ state }) => state === 'running');
    await cluster.ended('over-1');
    expect(await cluster.runner.runningOn('i-0123456789abcdef0')).toEqual([
      { runId: 'run-1', stage: 'index', attempt: 2 },
    ]);
    expect(await cluster.runner.runningOn('i-00000000000000002')).toEqual([]);
    const jobs = [...(await cluster.runner.observe([{ jobName: 'here-1', jobId: '' }])).values()];
    expect(
      await cluster.runner.placesOf?.([...jobs, { jobName: 'gone-1', jobId: '', state: 'running' }]),
    ).toEqual(new Map([['here-1', { instanceType: 'c6i.4xlarge', zone: 'us-west-2a' }]]));
    expect(await cluster.runner.placesOf?.([])).toEqual(new Map());
    expect(await cluster.runner.runningOn('i-0fffffffffffffff0')).toEqual([]);
  });
});
