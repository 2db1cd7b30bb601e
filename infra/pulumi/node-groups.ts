import type { Cluster } from '@pulumi/aws/eks/cluster.js';
import { NodeGroup } from '@pulumi/aws/eks/nodeGroup.js';
import type { Output, Resource } from '@pulumi/pulumi';
import type { InfrastructureConfig } from '../../lib/config/infrastructure.ts';
import type { ClusterParts } from './cluster.ts';
import { createTemplate, podDisk } from './launch-template.ts';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

type Sizes = InfrastructureConfig['nodeGroups']['general'];

/** One managed group: its name, its settings and the subnets its nodes may be in. */
interface Plan {
  readonly name: string;
  readonly workload: 'general' | 'ml';
  readonly group: Sizes;
  readonly subnetIds: readonly Output<string>[];
}

/** Part `index` of a number of nodes that is shared among `parts` zones; the parts add up to it. */
function share(total: number, index: number, parts: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}

/**
 * A group for each zone, whose sizes add up to the settings. A disk stays in the zone it was made in: of one group over all
 * zones the autoscaler could not say where its next node comes up, and a pod would wait for its disk for ever.
 */
function zonal(site: Site, group: Sizes, subnetIds: readonly Output<string>[]): Plan[] {
  return subnetIds.map((id, index) => ({
    name: `general-${site.config.network.zones[index]}`,
    workload: 'general',
    group: {
      ...group,
      minSize: share(group.minSize, index, subnetIds.length),
      desiredSize: share(group.desiredSize, index, subnetIds.length),
      maxSize: share(group.maxSize, index, subnetIds.length),
    },
    subnetIds: [id],
  }));
}

function placement({
  workload,
  group,
}: Plan): Pick<ConstructorParameters<typeof NodeGroup>[1], 'labels' | 'taints' | 'tags'> {
  return {
    // Beside EKS' own label of the same meaning: the autoscaler reads these ones of a group that has no node yet.
    labels: { workload, 'epsilon/capacity': group.capacityType === 'SPOT' ? 'spot' : 'on-demand' },
    // Only pods that tolerate the taint (ML services, and what must not run on spot) come to `ml`.
    ...(workload === 'ml' ? { taints: [{ key: 'workload', value: workload, effect: 'NO_SCHEDULE' }] } : {}),
    tags: { 'k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage': podDisk },
  };
}

/**
 * Creates the managed node groups: `general`, one a zone, and `ml_workloads`. Training has groups of its own
 * (training-nodes.ts). `dependsOn`: access entries, associations, daemons and the routes out, so that the first node finds
 * what it needs. Sizes are the autoscaler's after creation.
 */
export function createNodeGroups(
  site: Site,
  parts: ClusterParts,
  options: { readonly network: Network; readonly dependsOn: readonly Resource[] },
): NodeGroup[] {
  const cluster: Cluster = parts.cluster;
  const template = createTemplate(site, 'node');
  const { general, ml_workloads } = site.config.nodeGroups;
  const subnetIds = options.network.privateSubnetIds;
  const plans: Plan[] = [
    ...zonal(site, general, subnetIds),
    { name: 'ml_workloads', workload: 'ml', group: ml_workloads, subnetIds },
  ];
  return plans.map(
    (plan) =>
      new NodeGroup(
        site.name(`nodes-${plan.name}`),
        {
          ...placement(plan),
          clusterName: cluster.name,
          nodeGroupName: plan.name,
          nodeRoleArn: parts.nodeRole.arn,
          subnetIds: [...plan.subnetIds],
          amiType: 'AL2023_x86_64_STANDARD',
          instanceTypes: plan.group.instanceTypes,
          capacityType: plan.group.capacityType,
          scalingConfig: {
            minSize: plan.group.minSize,
            maxSize: plan.group.maxSize,
            desiredSize: plan.group.desiredSize,
          },
          launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
          updateConfig: { maxUnavailablePercentage: 25 },
          nodeRepairConfig: { enabled: true },
        },
        {
          ...site.here,
          dependsOn: [...options.dependsOn, ...parts.nodeRole.ready],
          ignoreChanges: ['scalingConfig.desiredSize', 'scalingConfig.minSize'],
        },
      ),
  );
}
