import { Group } from '@pulumi/aws/autoscaling/group.js';
import { AccessEntry } from '@pulumi/aws/eks/accessEntry.js';
import type { Cluster } from '@pulumi/aws/eks/cluster.js';
import { InstanceProfile } from '@pulumi/aws/iam/instanceProfile.js';
import { all, type Output, type Resource } from '@pulumi/pulumi';
import { createIdentity, type Identity, trustHost } from './identity.ts';
import { createTemplate, podDisk } from './launch-template.ts';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

/** How the nodes of a group are paid for; the label `epsilon/capacity` of the node, which jobs select. */
type Capacity = 'spot' | 'on-demand';

const workload = 'training';
const template = 'k8s.io/cluster-autoscaler/node-template';

/** The identity of training nodes, known to the cluster before the first of them starts. */
function createNodeIdentity(site: Site, cluster: Cluster): { profile: InstanceProfile; ready: Resource[] } {
  const role: Identity = createIdentity(site, 'training-node', {
    trust: [trustHost('ec2.amazonaws.com')],
    managed: ['AmazonEKSWorkerNodePolicy', 'AmazonEC2ContainerRegistryPullOnly'],
  });
  const name = site.name('training-node');
  const profile = new InstanceProfile(
    name,
    { name, role: role.role.name },
    { ...site.here, dependsOn: [...role.ready] },
  );
  // Of managed groups EKS makes this entry itself; of others it does not.
  const entry = new AccessEntry(
    name,
    { clusterName: cluster.name, principalArn: role.arn, type: 'EC2_LINUX' },
    site.here,
  );
  return { profile, ready: [entry, ...role.ready] };
}

/** Settings that an EKS node image reads at its start: the cluster, and the labels and taint of the node. */
function userData(cluster: Cluster, capacity: Capacity): Output<string> {
  return all([
    cluster.name,
    cluster.endpoint,
    cluster.certificateAuthority.data,
    cluster.kubernetesNetworkConfig.serviceIpv4Cidr,
  ]).apply(([name, apiServerEndpoint, certificateAuthority, cidr]) => {
    const config = {
      apiVersion: 'node.eks.aws/v1alpha1',
      kind: 'NodeConfig',
      spec: {
        cluster: { name, apiServerEndpoint, certificateAuthority, cidr },
        kubelet: {
          flags: [
            `--node-labels=workload=${workload},epsilon/capacity=${capacity}`,
            `--register-with-taints=workload=${workload}:NoSchedule`,
          ],
        },
      },
    };
    const parts = [
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="node"',
      '',
      '--node',
      'Content-Type: application/node.eks.aws',
      '',
      // JSON is YAML.
      JSON.stringify(config),
      '--node--',
      '',
    ];
    return Buffer.from(parts.join('\n')).toString('base64');
  });
}

/** Tags of a group. The autoscaler finds the group by them, and what a node of it will be while there is none. */
function tagsOf(site: Site, clusterName: string, capacity: Capacity) {
  const read = {
    'k8s.io/cluster-autoscaler/enabled': 'true',
    [`k8s.io/cluster-autoscaler/${clusterName}`]: 'owned',
    [`${template}/label/workload`]: workload,
    [`${template}/label/epsilon/capacity`]: capacity,
    [`${template}/taint/workload`]: `${workload}:NoSchedule`,
    [`${template}/resources/ephemeral-storage`]: podDisk,
  };
  const passed = {
    ...site.tags,
    Name: site.name(`training-${capacity}`),
    [`kubernetes.io/cluster/${clusterName}`]: 'owned',
  };
  const list = (tags: Readonly<Record<string, string>>, propagateAtLaunch: boolean) =>
    Object.entries(tags).map(([key, value]) => ({ key, value, propagateAtLaunch }));
  return [...list(read, false), ...list(passed, true)];
}

/**
 * Creates the two groups that training runs on, spot and on-demand, both from 0 nodes. They are Auto Scaling groups and no
 * managed node groups, because nothing may take a node away in the night that the rules of docs/capacity.md do not: managed
 * spot groups drain a node on every rebalance recommendation, groups over several zones move nodes to even them out, and a
 * new launch template drains a quarter of a managed group. Here a new template is for new nodes only.
 */
export function createTrainingNodes(
  site: Site,
  cluster: Cluster,
  options: { readonly network: Network; readonly dependsOn: readonly Resource[] },
): Group[] {
  const clusterName = `embeddings-saas-cluster${site.config.nameSuffix}`;
  const identity = createNodeIdentity(site, cluster);
  const { training_spot, training_on_demand } = site.config.nodeGroups;
  const make = (capacity: Capacity, group: typeof training_spot) => {
    const name = site.name(`training-${capacity}`);
    const launch = createTemplate(site, `training-${capacity}`, {
      // The node image of the cluster's version that AWS recommends when a node starts.
      imageId: `resolve:ssm:/aws/service/eks/optimized-ami/${site.config.cluster.version}/amazon-linux-2023/x86_64/standard/recommended/image_id`,
      iamInstanceProfile: { arn: identity.profile.arn },
      vpcSecurityGroupIds: [cluster.vpcConfig.clusterSecurityGroupId],
      userData: userData(cluster, capacity),
    });
    return new Group(
      name,
      {
        name,
        minSize: group.minSize,
        maxSize: group.maxSize,
        desiredCapacity: group.desiredSize,
        vpcZoneIdentifiers: options.network.privateSubnetIds,
        capacityRebalance: false,
        suspendedProcesses: ['AZRebalance'],
        mixedInstancesPolicy: {
          instancesDistribution: {
            onDemandPercentageAboveBaseCapacity: capacity === 'spot' ? 0 : 100,
            spotAllocationStrategy: 'price-capacity-optimized',
          },
          launchTemplate: {
            launchTemplateSpecification: {
              launchTemplateId: launch.id,
              version: launch.latestVersion.apply(String),
            },
            overrides: group.instanceTypes.map((instanceType) => ({ instanceType })),
          },
        },
        tags: tagsOf(site, clusterName, capacity),
        // Spot may be short while the platform is made; the autoscaler asks again.
        waitForCapacityTimeout: '0',
      },
      {
        ...site.here,
        dependsOn: [...options.dependsOn, ...identity.ready],
        ignoreChanges: ['desiredCapacity', 'minSize'],
      },
    );
  };
  return [make('spot', training_spot), make('on-demand', training_on_demand)];
}
