import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubernetesClient } from '../../../lib/kubernetes/client.ts';
import { KubernetesJobRunner } from '../../../lib/kubernetes/job-runner.ts';
import type { JobObservation } from '../../../lib/training/attempts/job.ts';
import { unplaceableReason, unstartableReason } from '../../../lib/training/attempts/stop-reason.ts';
import { describeJobRunner } from '../../contract/job-runner.ts';
import { deployment, isOver, specOf } from '../../kubernetes/harness.ts';
import { ScriptedKubelet } from '../../kubernetes/kubelet.ts';
import { type Attached, attach } from './attach.ts';
import { until } from './control-plane.ts';

/** Runs against the real API server and job controller that run.ts started; only scheduler and kubelet are played. */
let cluster: Attached;
let kubelet: ScriptedKubelet;

beforeAll(() => {
  cluster = attach();
  kubelet = new ScriptedKubelet(cluster.transport('admin'));
  kubelet.start();
});

afterAll(async () => {
  await kubelet.close();
  cluster.close();
});

function runnerAs(who: 'runner' | 'nobody'): KubernetesJobRunner {
  return new KubernetesJobRunner({
    client: createKubernetesClient(cluster.transport(who)),
    deployment,
  });
}

async function observed(
  runner: KubernetesJobRunner,
  jobName: string,
  fits: (observation: JobObservation) => boolean,
): Promise<JobObservation> {
  let last: JobObservation | undefined;
  await until(`${jobName} is as expected`, async () => {
    last = await runner.find(jobName);
    return last !== undefined && fits(last);
  });
  return last as JobObservation;
}

let round = 0;
describeJobRunner('EKS, on a real API server', async () => {
  const runner = runnerAs('runner');
  // The suite uses the same names in every test; a cluster keeps finished jobs.
  round += 1;
  const prefix = `r${round}`;
  const real = (name: string) => `${prefix}-${name}`;
  const plain = <T extends { jobName: string }>(of: T): T => ({
    ...of,
    jobName: of.jobName.slice(prefix.length + 1),
  });
  return {
    runner: {
      backend: runner.backend,
      submit: async (spec) => plain(await runner.submit(spec)),
      find: async (name) => {
        const found = await runner.find(real(name));
        return found && plain(found);
      },
      observe: async (jobs) => {
        const found = await runner.observe(jobs.map((job) => ({ ...job, jobName: real(job.jobName) })));
        return new Map([...found.values()].map((one) => [plain(one).jobName, plain(one)]));
      },
      cancel: (job, reason) => runner.cancel({ ...job, jobName: real(job.jobName) }, reason),
    },
    spec: (does, name) => specOf(does, real(name)),
    ended: async (name) => plain(await observed(runner, real(name), isOver)),
    starts: (name) => kubelet.starts.get(real(name)) ?? 0,
    close: async () => undefined,
  };
});

describe('the real control plane', () => {
  it('an evicted pod fails its job at once, as preempted and not as the job that exited with 143', async () => {
    const runner = runnerAs('runner');
    await runner.submit(specOf('waits', 'evicted-1'));
    await observed(runner, 'evicted-1', ({ state }) => state === 'running');
    await cluster.evictPodOf('evicted-1');
    expect(await observed(runner, 'evicted-1', isOver)).toMatchObject({
      state: 'failed',
      reason: 'preempted',
      message: expect.stringContaining('DisruptionTarget'),
    });
    expect(kubelet.starts.get('evicted-1')).toBe(1);
  });

  it('a job that takes longer than its deadline is a timeout, not a cancellation', async () => {
    const runner = runnerAs('runner');
    await runner.submit(specOf('waits', 'late-1', { timeoutSeconds: 2 }));
    expect(await observed(runner, 'late-1', isOver)).toMatchObject({ reason: 'timeout' });
  });

  it('a job for which no node comes says so, and counts as unplaceable when it is given up', async () => {
    const runner = runnerAs('runner');
    const ref = await runner.submit(specOf('unplaceable', 'nowhere-1', { capacity: 'on-demand' }));
    await observed(runner, 'nowhere-1', ({ message }) => message?.includes('Insufficient cpu') ?? false);
    await runner.cancel(ref, unplaceableReason('no on-demand capacity within 600 seconds'));
    const over = await observed(runner, 'nowhere-1', isOver);
    expect(over).toMatchObject({ reason: 'unplaceable' });
    expect(over.message).toContain('no on-demand capacity');
  });

  it('a job whose image cannot be pulled has its node and says so, and ends under that name when it is stopped', async () => {
    const runner = runnerAs('runner');
    const ref = await runner.submit(specOf('unstartable', 'no-image-1'));
    const waiting = await observed(runner, 'no-image-1', ({ unstartable }) => unstartable !== undefined);
    expect(waiting).toMatchObject({
      state: 'pending',
      unstartable: { why: 'ImagePullBackOff: no such digest', since: expect.stringMatching(/Z$/) },
    });
    await runner.cancel(ref, unstartableReason('ImagePullBackOff: no such digest'));
    expect(await observed(runner, 'no-image-1', isOver)).toMatchObject({ reason: 'unstartable' });
  });

  it('finds the attempts of an instance through the node that it is', async () => {
    const runner = runnerAs('runner');
    await runner.submit(specOf('waits', 'placed-1', { runId: 'placed', attempt: 3 }));
    await observed(runner, 'placed-1', ({ state }) => state === 'running');
    expect(await runner.runningOn('i-0123456789abcdef0')).toContainEqual({
      runId: 'placed',
      stage: 'train',
      attempt: 3,
    });
    expect(await runner.runningOn('i-00000000000000000')).toEqual([]);
    await runner.cancel({ jobName: 'placed-1', jobId: '' }, 'done');
  });

  it('F20: a role outside the group is refused, verb and resource named', async () => {
    await expect(runnerAs('nobody').submit(specOf('succeeds', 'denied-1'))).rejects.toMatchObject({
      code: 'KUBERNETES_ACCESS_DENIED',
      details: { verb: 'create', resource: 'jobs.batch' },
    });
  });

  it('pods are admitted under the restricted standard that the namespace enforces', async () => {
    const warnings = await cluster.admissionWarnings(specOf('succeeds', 'dry-1'));
    expect(warnings).toEqual([]);
  });
});
