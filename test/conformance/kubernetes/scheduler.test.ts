import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { createKubernetesClient } from '../../../lib/kubernetes/client.ts';
import { KubernetesJobRunner } from '../../../lib/kubernetes/job-runner.ts';
import type { Capacity } from '../../../lib/training/run.ts';
import { type NodeToCome, nodesToCome } from '../../infra/pulumi/group-at-zero.ts';
import { deployment, specOf } from '../../kubernetes/harness.ts';
import { ControlPlane, until, variables } from './control-plane.ts';

/**
 * The real scheduler, on the nodes that the groups of infra/pulumi would make, as the autoscaler knows them while there are
 * none: it asks this scheduler's own predicates whether a job that waits would fit before it adds one.
 */
let plane: ControlPlane;
let runner: KubernetesJobRunner;
let groups: NodeToCome[];

beforeAll(async () => {
  groups = nodesToCome(await evaluate(settingsOf('prod')));
  plane = await ControlPlane.start(process.env[variables.program] ?? '');
  expect(plane.kubectl('apply', '--server-side', '-k', 'infra/k8s/jobs').status).toBe(0);
  await plane.startScheduler();
  runner = new KubernetesJobRunner({ client: createKubernetesClient(plane.transport('runner')), deployment });
});

afterEach(() => {
  plane.kubectl('delete', 'nodes', '--all');
  plane.kubectl('-n', 'ml-jobs', 'delete', 'jobs,pods', '--all', '--grace-period=0', '--force');
});

afterAll(() => plane.close());

const groupOf = (name: string): NodeToCome => {
  const group = groups.find((one) => one.group === name);
  if (!group) throw new Error(`no group ${name}`);
  return group;
};

/** A node of 16 vCPU and 32 GiB, with the labels, taints and further amounts that are known of a group. */
async function addNode(name: string, { labels, taints, resources }: NodeToCome): Promise<void> {
  const transport = plane.transport('admin');
  const headers = { 'content-type': 'application/json' };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: { taints } };
  await transport.send({ method: 'POST', path: '/api/v1/nodes', headers, body: JSON.stringify(node) });
  const amounts = { cpu: '16', memory: '32Gi', pods: '110', ...resources };
  const ready = { type: 'Ready', status: 'True', reason: 'x', message: 'x' };
  await transport.send({
    method: 'PATCH',
    path: `/api/v1/nodes/${name}/status`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify({ status: { capacity: amounts, allocatable: amounts, conditions: [ready] } }),
  });
  // The lifecycle controller takes this taint off; it is not part of this control plane.
  plane.kubectl('taint', 'node', name, 'node.kubernetes.io/not-ready:NoSchedule-');
}

const train = (jobName: string, capacity: Capacity = 'spot') =>
  runner.submit(specOf('succeeds', jobName, { capacity, resources: { cpu: 4, memoryMiB: 7_168 } }));

/** Names of the nodes that the pods of a job are bound to. */
const nodesOf = (jobName: string) =>
  plane
    .kubectl(
      '-n',
      'ml-jobs',
      'get',
      'pods',
      '-l',
      `batch.kubernetes.io/job-name=${jobName}`,
      '-o',
      'jsonpath={.items[*].spec.nodeName}',
    )
    .text.trim();

const bound = (jobName: string, node: string) =>
  until(`${jobName} is bound to ${node}`, async () => nodesOf(jobName) === node);

const waits = (jobName: string, why: string) =>
  until(`${jobName} waits: ${why}`, async () => ((await runner.find(jobName))?.message ?? '').includes(why));

describe('a job, by the real scheduler', () => {
  it('waits without a node, and says so', async () => {
    await train('alone-1');
    await waits('alone-1', 'no nodes available');
  });

  it.each([
    ['spot', 'epsilon-prod-training-spot', 'epsilon-prod-training-on-demand'],
    ['on-demand', 'epsilon-prod-training-on-demand', 'epsilon-prod-training-spot'],
  ] as const)(
    'on %s is bound to a node of its group, and to none of the others',
    async (capacity, own, other) => {
      for (const group of ['general-a', 'ml_workloads', other])
        await addNode(group.replace('_', '-'), groupOf(group));
      await train('picky-1', capacity);
      await waits('picky-1', '0/3 nodes are available: 1 node(s) had untolerated taint');
      await addNode('own', groupOf(own));
      await bound('picky-1', 'own');
    },
  );

  it('does not fit a node of which only CPU, memory and pods are known: what the tag of the group is for', async () => {
    const spot = groupOf('epsilon-prod-training-spot');
    await addNode('untagged', { ...spot, resources: {} });
    await train('large-1');
    await waits('large-1', '1 Insufficient ephemeral-storage');
    await addNode('tagged', spot);
    await bound('large-1', 'tagged');
  });

  it('fits a node as often as the settings count on it, and waits when the node is full', async () => {
    const { trainingJobsPerNode } = settingsOf('prod');
    await addNode('spot-1', groupOf('epsilon-prod-training-spot'));
    const names = Array.from({ length: trainingJobsPerNode }, (_, index) => `packed-${index}`);
    for (const name of names) await train(name);
    for (const name of names) await bound(name, 'spot-1');
    // The node's daemons take the rest of a fourth job's room.
    await runner.submit(specOf('succeeds', 'daemons', { resources: { cpu: 1, memoryMiB: 1_024 } }));
    await bound('daemons', 'spot-1');
    await train('one-too-many');
    await waits('one-too-many', 'Insufficient');
  });
});
