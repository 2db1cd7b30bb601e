import type { V1PodSpec } from '@kubernetes/client-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, ofType, type Registered } from '../../../infra/pulumi/cost/evaluate.ts';
import { settingsOf } from '../../../infra/pulumi/cost/settings.ts';
import { at, statementsOf } from '../../../infra/pulumi/policy/statements.ts';
import { jobManifest } from '../../../lib/kubernetes/job-manifest.ts';
import type { Capacity } from '../../../lib/training/run.ts';
import { deployment, specOf } from '../../kubernetes/harness.ts';
import { readManifests } from '../../kubernetes/manifests.ts';
import { type NodeToCome, nodesToCome } from './group-at-zero.ts';
import { permits } from './iam.ts';

let prod: Registered[] = [];
let nodes: NodeToCome[] = [];

beforeAll(async () => {
  prod = await evaluate(settingsOf('prod'));
  nodes = nodesToCome(prod);
}, 60_000);

/** What cluster-autoscaler 1.35 reads from an instance type (cloudprovider/aws, buildNodeFromTemplate). */
const fromInstanceType = new Set(['cpu', 'memory', 'pods', 'nvidia.com/gpu']);

/** Why a pod does not fit a node to come, by what is known of it before it exists. */
function unfit(pod: V1PodSpec, node: NodeToCome): string[] {
  const labels: Readonly<Record<string, string>> = node.labels;
  const terms =
    pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const selected = Object.entries(pod.nodeSelector ?? {}).flatMap(([key, value]) =>
    labels[key] === value ? [] : [`label ${key}`],
  );
  const required = terms
    .flatMap(({ matchExpressions = [] }) => matchExpressions)
    .flatMap(({ key, values = [] }) => (values.includes(labels[key] ?? '') ? [] : [`label ${key}`]));
  const taints = node.taints
    .filter((taint) => !pod.tolerations?.some(({ key, value }) => key === taint.key && value === taint.value))
    .map(({ key }) => `taint ${key}`);
  const requests = Object.keys(pod.containers[0]?.resources?.requests ?? {})
    .filter((name) => !fromInstanceType.has(name) && node.resources[name] === undefined)
    .map((name) => `resource ${name}`);
  return [...selected, ...required, ...taints, ...requests];
}

const jobOn = (capacity: Capacity): V1PodSpec => {
  const pod = jobManifest(specOf('succeeds', 'x-1', { capacity }), deployment).spec?.template.spec;
  if (!pod) throw new Error('no pod');
  return pod;
};
const watcher = () =>
  at(
    readManifests().find(({ object }) => object.kind === 'Deployment')?.object,
    'spec.template.spec',
  ) as V1PodSpec;

const gib = (quantity: string | undefined) => Number(/^(\d+)Gi$/.exec(quantity ?? '')?.[1]);

describe('a group without nodes', () => {
  it.each([
    ['spot', 'epsilon-prod-training-spot'],
    ['on-demand', 'epsilon-prod-training-on-demand'],
  ] as const)(
    'is known to fit a %s job in all that the job asks for and selects, and no other group is',
    (capacity, group) => {
      const fitting = nodes.filter((node) => unfit(jobOn(capacity), node).length === 0);
      expect(fitting.map((node) => [node.group, node.minSize])).toEqual([[group, 0]]);
    },
  );

  it('is known to fit the watcher if it is one of "general"', () => {
    const fitting = nodes.filter((node) => unfit(watcher(), node).length === 0);
    expect(fitting.map(({ group }) => group)).toEqual(['general-a', 'general-b', 'general-c']);
    expect(fitting.some(({ minSize }) => minSize === 0)).toBe(true);
  });

  it('would fit no job if its tag for the disk were missing', () => {
    const [spot] = nodes.filter(({ group }) => group === 'epsilon-prod-training-spot');
    expect(unfit(jobOn('spot'), { ...(spot as NodeToCome), resources: {} })).toEqual([
      'resource ephemeral-storage',
    ]);
  });

  it('promises no more disk than a node has, and enough for the jobs that are counted on it', () => {
    const { trainingJobsPerNode } = settingsOf('prod');
    const asked = gib(String(jobOn('spot').containers[0]?.resources?.requests?.['ephemeral-storage']));
    const disks = ofType(prod, 'ec2/launchTemplate:LaunchTemplate').map(({ inputs }) =>
      Number(at(inputs, 'blockDeviceMappings.0.ebs.volumeSize')),
    );
    for (const { resources } of nodes) {
      const known = gib(resources['ephemeral-storage']);
      // The kubelet keeps a tenth of the disk and 1 GiB from pods.
      expect(known).toBeLessThanOrEqual(Math.min(...disks) * 0.9 - 1);
      expect(known).toBeGreaterThanOrEqual(trainingJobsPerNode * asked);
    }
  });
});

describe('general nodes', () => {
  it('are of several types, in one group a zone, which together have the specified sizes', () => {
    const groups = ofType(prod, 'eks/nodeGroup:NodeGroup').filter(
      ({ inputs }) => at(inputs, 'labels.workload') === 'general',
    );
    const sum = (key: string) =>
      groups.reduce((total, { inputs }) => total + Number(at(inputs, `scalingConfig.${key}`)), 0);
    expect(groups.map(({ inputs }) => (inputs['subnetIds'] as unknown[]).length)).toEqual([1, 1, 1]);
    expect(new Set(groups.map(({ inputs }) => String(inputs['subnetIds']))).size).toBe(3);
    expect([sum('minSize'), sum('desiredSize'), sum('maxSize')]).toEqual([2, 3, 10]);
    for (const { inputs } of groups)
      expect((inputs['instanceTypes'] as unknown[]).length).toBeGreaterThanOrEqual(3);
  });
});

describe('training nodes', () => {
  const groups = () => ofType(prod, 'autoscaling/group:Group');

  it('are taken away by nobody but EC2 and the autoscaler: no rebalancing, no refresh, no managed group', () => {
    expect(groups()).toHaveLength(2);
    for (const { inputs, ignoreChanges } of groups()) {
      expect(inputs).toMatchObject({ capacityRebalance: false, suspendedProcesses: ['AZRebalance'] });
      expect(inputs['instanceRefresh']).toBeUndefined();
      expect(ignoreChanges).toEqual(['desiredCapacity', 'minSize']);
    }
    const managed = ofType(prod, 'eks/nodeGroup:NodeGroup').map(({ inputs }) =>
      at(inputs, 'labels.workload'),
    );
    expect(managed).not.toContain('training');
  });

  it('are all spot in one group and all on-demand in the other, from 0, on types of one size', () => {
    const share = (name: string) =>
      at(
        groups().find((group) => group.name === name)?.inputs,
        'mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity',
      );
    expect([share('epsilon-prod-training-spot'), share('epsilon-prod-training-on-demand')]).toEqual([0, 100]);
    for (const { minSize, instanceTypes } of nodes.filter(({ group }) => group.includes('training'))) {
      expect(minSize).toBe(0);
      expect(instanceTypes.filter((type) => !type.endsWith('.4xlarge'))).toEqual([]);
    }
  });

  it('start with the labels and the taint that the autoscaler was told of, and join this cluster', () => {
    for (const { group, labels, taints } of nodes.filter(({ group }) => group.includes('training'))) {
      const template = ofType(prod, 'ec2/launchTemplate:LaunchTemplate').find(({ name }) => name === group);
      const data = Buffer.from(String(template?.inputs['userData']), 'base64').toString('utf8');
      const config = JSON.parse(/^\{.*\}$/m.exec(data)?.[0] ?? '{}') as object;
      const given = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      const [taint] = taints;
      expect(config).toMatchObject({
        kind: 'NodeConfig',
        spec: {
          cluster: {
            name: 'embeddings-saas-cluster',
            apiServerEndpoint: 'embeddings-saas-cluster.endpoint',
            certificateAuthority: 'Y2E=',
            cidr: '172.20.0.0/16',
          },
          kubelet: {
            flags: [
              `--node-labels=${given.join(',')}`,
              `--register-with-taints=${taint?.key}=${taint?.value}:${taint?.effect}`,
            ],
          },
        },
      });
      expect(template?.inputs['imageId']).toContain(`/${settingsOf('prod').cluster.version}/`);
    }
  });

  it('are known to the cluster before one of them starts', () => {
    for (const { waitsFor } of groups()) {
      expect(waitsFor).toContain('aws:eks/accessEntry:AccessEntry::epsilon-prod-training-node');
      expect(waitsFor).toContain(
        'aws:iam/rolePolicyAttachment:RolePolicyAttachment::epsilon-prod-training-node-AmazonEKSWorkerNodePolicy',
      );
    }
  });

  it('may be asked for and let go by the autoscaler, as those of every group of this cluster and of no other', () => {
    const policy = statementsOf(
      ofType(prod, 'iam/rolePolicy:RolePolicy').find(({ name }) => name === 'epsilon-prod-cluster-autoscaler')
        ?.inputs['policy'],
    );
    const may = (tags: Readonly<Record<string, string>>) =>
      permits(policy, {
        action: 'autoscaling:SetDesiredCapacity',
        resource:
          'arn:aws:autoscaling:us-west-2:123456789012:autoScalingGroup:id:autoScalingGroupName/some-group',
        facts: Object.fromEntries(
          Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]),
        ),
      });
    for (const { inputs } of groups()) {
      const tags = inputs['tags'] as { key: string; value: string }[];
      expect(may(Object.fromEntries(tags.map(({ key, value }) => [key, value])))).toBe(true);
    }
    expect(may({ 'k8s.io/cluster-autoscaler/embeddings-saas-cluster': 'owned' })).toBe(true);
    expect(may({ 'k8s.io/cluster-autoscaler/other': 'owned' })).toBe(false);
    expect(may({})).toBe(false);
  });
});

describe('the budget', () => {
  it('sees instances and disks: whatever starts them gives them the tag that it counts by', () => {
    const [filter] = ofType(prod, 'budgets/budget:Budget').map(({ inputs }) =>
      String(at(inputs, 'costFilters.0.values.0')),
    );
    expect(filter).toBe('user:epsilon:environment$prod');
    const templates = ofType(prod, 'ec2/launchTemplate:LaunchTemplate');
    expect(templates).toHaveLength(4);
    for (const { inputs } of templates) {
      const tagged = inputs['tagSpecifications'] as { resourceType: string; tags: Record<string, string> }[];
      expect(tagged.map(({ resourceType }) => resourceType)).toEqual(['instance', 'volume']);
      for (const { tags } of tagged) expect(tags['epsilon:environment']).toBe('prod');
    }
    for (const { inputs } of ofType(prod, 'batch/computeEnvironment:ComputeEnvironment'))
      expect(at(inputs, 'computeResources.tags')).toMatchObject({ 'epsilon:environment': 'prod' });
    for (const { inputs } of ofType(prod, 'autoscaling/group:Group'))
      expect(inputs['tags']).toContainEqual({
        key: 'epsilon:environment',
        value: 'prod',
        propagateAtLaunch: true,
      });
    const disks = ofType(prod, 'eks/addon:Addon').find(
      ({ inputs }) => inputs['addonName'] === 'aws-ebs-csi-driver',
    );
    expect(JSON.parse(String(disks?.inputs['configurationValues']))).toMatchObject({
      controller: { extraVolumeTags: { 'epsilon:environment': 'prod' } },
    });
  });
});

describe('instances of Batch', () => {
  it('T7: reach no port but that of TLS, so neither cache nor database', () => {
    const ports = ofType(prod, 'vpc/securityGroupEgressRule:SecurityGroupEgressRule')
      .filter(({ name }) => name.startsWith('epsilon-prod-batch-'))
      .map(({ inputs }) => [inputs['fromPort'], inputs['toPort']]);
    expect(ports).toEqual([[443, 443]]);
  });

  it('T8: close metadata to all but root before the agent of ECS takes a job, and give no process new rights', () => {
    const [template] = ofType(prod, 'ec2/launchTemplate:LaunchTemplate').filter(
      ({ name }) => name === 'epsilon-prod-batch',
    );
    const text = Buffer.from(String(template?.inputs['userData']), 'base64').toString();
    expect(text).toMatch(/^MIME-Version: 1.0\nContent-Type: multipart\/mixed; boundary="host"\n\n--host\n/);
    expect(text).toContain('-I OUTPUT -d 169.254.169.254 -m owner ! --uid-owner 0 -j REJECT');
    expect(text).toContain('-I OUTPUT -d fd00:ec2::254 -m owner ! --uid-owner 0 -j REJECT');
    expect(text).toContain('{"no-new-privileges": true}');
    // The agent is made to need the unit first: a step that fails leaves an instance without jobs.
    const steps = ['Requires=epsilon-close-metadata.service', 'ExecStart=', 'iptables', 'daemon-reload'];
    const places = steps.map((step) => text.indexOf(step));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(at(template?.inputs, 'metadataOptions')).toMatchObject({
      httpTokens: 'required',
      httpPutResponseHopLimit: 1,
    });
  });
});
