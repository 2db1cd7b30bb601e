import { LaunchTemplate, type LaunchTemplateArgs } from '@pulumi/aws/ec2/launchTemplate.js';
import type { Site } from './site.ts';

/** GiB of a node's disk: images of the training stages and their scratch space. */
const diskGiB = 100;

/**
 * What pods may count on of that disk, as a Kubernetes quantity: the kubelet keeps a tenth free and 1 GiB for itself. The
 * autoscaler reads it from a group's tags, because it can see the disk of a node only when there is one.
 */
export const podDisk = `${Math.floor(diskGiB * 0.8)}Gi`;

/**
 * A template for instances that hold no secret a pod could read: IMDSv2, one hop, encrypted disk. Instances and disks carry
 * the site's tags: those of a group or of a compute environment do not reach them, and the budget counts by tag.
 */
export function createTemplate(
  site: Site,
  part: string,
  more: Partial<LaunchTemplateArgs> = {},
): LaunchTemplate {
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
      tagSpecifications: ['instance', 'volume'].map((resourceType) => ({ resourceType, tags: site.tags })),
      ...more,
    },
    site.here,
  );
}
