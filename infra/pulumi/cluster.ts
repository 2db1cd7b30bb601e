import { LogGroup } from '@pulumi/aws/cloudwatch/logGroup.js';
import { AccessEntry } from '@pulumi/aws/eks/accessEntry.js';
import { AccessPolicyAssociation } from '@pulumi/aws/eks/accessPolicyAssociation.js';
import { Cluster } from '@pulumi/aws/eks/cluster.js';
import { interpolate, type Resource } from '@pulumi/pulumi';
import { createIdentity, type Identity, trustHost } from './identity.ts';
import type { Keys } from './keys.ts';
import type { Network } from './network.ts';
import type { Site } from './site.ts';

/** The cluster and what must exist before anyone uses it. */
export interface ClusterParts {
  readonly cluster: Cluster;
  /** Access entries: administrators and the node role. */
  readonly access: readonly Resource[];
  readonly nodeRole: Identity;
}

const clusterAdministrator = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy';

function grantAccess(site: Site, cluster: Cluster): Resource[] {
  return site.config.cluster.administratorRoles.flatMap((role) => {
    const name = site.name(`access-${role.replaceAll(/[^\w-]/g, '-')}`);
    const principalArn = interpolate`arn:aws:iam::${site.accountId}:role/${role}`;
    const entry = new AccessEntry(
      name,
      { clusterName: cluster.name, principalArn, type: 'STANDARD' },
      site.here,
    );
    const policy = new AccessPolicyAssociation(
      name,
      {
        clusterName: cluster.name,
        principalArn,
        policyArn: clusterAdministrator,
        accessScope: { type: 'cluster' },
      },
      { ...site.here, dependsOn: [entry] },
    );
    return [entry, policy];
  });
}

/** Creates the cluster: private endpoint, restricted public one, all logs, envelope encryption, access entries only. */
export function createCluster(site: Site, network: Network, keys: Keys): ClusterParts {
  const name = `embeddings-saas-cluster${site.config.nameSuffix}`;
  const role = createIdentity(site, 'cluster', {
    trust: [trustHost('eks.amazonaws.com')],
    managed: ['AmazonEKSClusterPolicy'],
  });
  const nodeRole = createIdentity(site, 'node', {
    trust: [trustHost('ec2.amazonaws.com')],
    managed: ['AmazonEKSWorkerNodePolicy', 'AmazonEC2ContainerRegistryPullOnly'],
  });
  // EKS would make the group itself, without retention and key.
  const logs = new LogGroup(
    site.name('cluster'),
    { name: `/aws/eks/${name}/cluster`, retentionInDays: 365, kmsKeyId: keys.logs.arn },
    site.here,
  );
  const cluster = new Cluster(
    name,
    {
      name,
      version: site.config.cluster.version,
      roleArn: role.arn,
      // A cluster past standard support is upgraded, not kept at six times the price.
      upgradePolicy: { supportType: 'STANDARD' },
      deletionProtection: site.config.environment === 'prod',
      accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: false },
      bootstrapSelfManagedAddons: false,
      enabledClusterLogTypes: ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'],
      encryptionConfig: { provider: { keyArn: keys.cluster.arn }, resources: ['secrets'] },
      vpcConfig: {
        subnetIds: network.privateSubnetIds,
        endpointPrivateAccess: true,
        endpointPublicAccess: true,
        publicAccessCidrs: site.config.cluster.publicAccessCidrs,
      },
    },
    { ...site.here, dependsOn: [...role.ready, logs] },
  );
  // EKS adds the access entry of the managed nodes' role itself, with the node group.
  return { cluster, access: grantAccess(site, cluster), nodeRole };
}
