import { LaunchTemplate } from '@pulumi/aws/ec2/launchTemplate.js';
import type { Cluster } from '@pulumi/aws/eks/cluster.js';
import { NodeGroup } from '@pulumi/aws/eks/nodeGroup.js';
import type { Resource } from '@pulumi/pulumi';
import type { ClusterParts } from './cluster.ts';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

/** GiB of a node's disk: images of the training stages and their scratch space. */
const diskGiB = 100;

/** A template for instances that hold no secret a pod could read: IMDSv2, one hop, encrypted disk. */
export function createTemplate(site: Site, part: string): LaunchTemplate {
  return new LaunchTemplate(
    site.name(part),
    {
      name: site.name(part),
      updateDefaultVersion: true,
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [
        {
          deviceName: '/dev/xvda',
          // The account's EBS key: a key of our own would need grants to the Auto Scaling service role.
          ebs: { volumeSize: diskGiB, volumeType: 'gp3', encrypted: 'true', deleteOnTermination: 'true' },
        },
      ],
      monitoring: { enabled: true },
    },
    site.here,
  );
}

function placement(name: string, spot: boolean): Partial<ConstructorParameters<typeof NodeGroup>[1]> {
  // Beside EKS' own label of the same meaning: the autoscaler reads these ones of a group that has no node yet.
  const capacity = { 'epsilon/capacity': spot ? 'spot' : 'on-demand' };
  if (name === 'general') return { labels: { workload: 'general', ...capacity } };
  const workload = name === 'training_spot' ? 'training' : 'ml';
  // Only pods that tolerate the taint (training jobs, ML services) come here.
  return {
    labels: { workload, ...capacity },
    taints: [{ key: 'workload', value: workload, effect: 'NO_SCHEDULE' }],
  };
}

/**
 * Creates one managed node group per entry of `nodeGroups`. `dependsOn`: access entries, associations, daemons and the
 * routes out, so that the first node finds what it needs. Sizes are the autoscaler's after creation.
 */
export function createNodeGroups(
  site: Site,
  parts: ClusterParts,
  options: { readonly network: Network; readonly dependsOn: readonly Resource[] },
): NodeGroup[] {
  const cluster: Cluster = parts.cluster;
  const template = createTemplate(site, 'node');
  return Object.entries(site.config.nodeGroups).map(
    ([name, group]) =>
      new NodeGroup(
        site.name(`nodes-${name}`),
        {
          ...placement(name, group.capacityType === 'SPOT'),
          clusterName: cluster.name,
          nodeGroupName: name,
          nodeRoleArn: parts.nodeRole.arn,
          subnetIds: options.network.privateSubnetIds,
          amiType: 'AL2023_x86_64_STANDARD',
          instanceTypes: group.instanceTypes,
          capacityType: group.capacityType,
          scalingConfig: { minSize: group.minSize, maxSize: group.maxSize, desiredSize: group.desiredSize },
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
