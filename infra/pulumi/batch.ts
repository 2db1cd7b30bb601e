import { ComputeEnvironment } from '@pulumi/aws/batch/computeEnvironment.js';
import { JobQueue } from '@pulumi/aws/batch/jobQueue.js';
import { SchedulingPolicy } from '@pulumi/aws/batch/schedulingPolicy.js';
import { InstanceProfile } from '@pulumi/aws/iam/instanceProfile.js';
import { batchUserData } from './batch-host.ts';
import { createWorkerGroup } from './endpoints.ts';
import { createIdentity, trustHost } from './identity.ts';
import { createTemplate } from './launch-template.ts';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

/** The two queues: spot is tried first, on-demand after repeated preemption. */
export interface Batch {
  readonly spot: JobQueue;
  readonly onDemand: JobQueue;
}

/** Weights of the shares tenants submit under (lower gets more); a test holds them beside lib/training/attempts/batch-share.ts. */
export const batchShares = [
  { shareIdentifier: 'urgent*', weightFactor: 0.25 },
  { shareIdentifier: 'normal*', weightFactor: 1 },
  { shareIdentifier: 'patient*', weightFactor: 4 },
];

/** Fair shares between tenants: what each used in the last half hour counts, so that no backlog starves another tenant. */
function createShares(site: Site): SchedulingPolicy {
  return new SchedulingPolicy(
    site.name('batch-shares'),
    {
      name: site.name('batch-shares'),
      fairSharePolicy: { shareDecaySeconds: 1_800, computeReservation: 0, shareDistributions: batchShares },
    },
    site.here,
  );
}

/** Creates compute environments that scale to zero, and one queue for each. */
export function createBatch(site: Site, network: Network): Batch {
  const host = createIdentity(site, 'batch-host', {
    trust: [trustHost('ec2.amazonaws.com')],
    managed: ['service-role/AmazonEC2ContainerServiceforEC2Role'],
  });
  const profile = new InstanceProfile(
    site.name('batch-host'),
    { name: site.name('batch-host'), role: host.role.name },
    { ...site.here, dependsOn: [...host.ready] },
  );
  const template = createTemplate(site, 'batch', { userData: batchUserData });
  const group = createWorkerGroup(site, network, 'batch');
  const shares = createShares(site);
  const queue = (part: string, type: 'SPOT' | 'EC2', maxVcpus: number) => {
    const name = site.name(`batch-${part}`);
    const environment = new ComputeEnvironment(
      name,
      {
        // A prefix, so that a replacement can be made before the old one, still in the queue, goes.
        namePrefix: `${name}-`,
        type: 'MANAGED',
        state: 'ENABLED',
        // No service role: AWS then uses its service-linked one.
        computeResources: {
          type,
          allocationStrategy: type === 'SPOT' ? 'SPOT_PRICE_CAPACITY_OPTIMIZED' : 'BEST_FIT_PROGRESSIVE',
          minVcpus: 0,
          maxVcpus,
          instanceRole: profile.arn,
          instanceTypes: ['c5', 'c6i', 'm5', 'm6i'],
          ec2Configurations: [{ imageType: 'ECS_AL2023' }],
          launchTemplate: { launchTemplateId: template.id, version: '$Latest' },
          subnets: network.privateSubnetIds,
          securityGroupIds: [group.id],
          tags: site.tags,
        },
      },
      {
        ...site.here,
        dependsOn: [...network.exits],
        ignoreChanges: ['computeResources.desiredVcpus', 'computeResources.minVcpus'],
      },
    );
    return new JobQueue(
      name,
      {
        name,
        state: 'ENABLED',
        priority: 1,
        // A queue made without shares can never get them: AWS makes a new one.
        schedulingPolicyArn: shares.arn,
        computeEnvironmentOrders: [{ order: 1, computeEnvironment: environment.arn }],
      },
      site.here,
    );
  };
  return {
    spot: queue('spot', 'SPOT', site.config.batch.spotMaxVcpus),
    onDemand: queue('on-demand', 'EC2', site.config.batch.onDemandMaxVcpus),
  };
}
