import { Addon } from '@pulumi/aws/eks/addon.js';
import type { Cluster } from '@pulumi/aws/eks/cluster.js';
import { jsonStringify, type Resource } from '@pulumi/pulumi';
import type { Identity } from './identity.ts';
import type { PodIdentities } from './pod-identities.ts';
import type { Site } from './site.ts';

/** What one add-on is made of. */
interface AddonPlan {
  readonly name: string;
  readonly values?: object;
  readonly identity?: { readonly serviceAccount: string; readonly role: Identity };
}

function install(site: Site, cluster: Cluster, plan: AddonPlan, dependsOn: readonly Resource[]): Addon {
  return new Addon(
    site.name(`addon-${plan.name}`),
    {
      clusterName: cluster.name,
      addonName: plan.name,
      resolveConflictsOnCreate: 'OVERWRITE',
      resolveConflictsOnUpdate: 'OVERWRITE',
      ...(plan.values ? { configurationValues: jsonStringify(plan.values) } : {}),
      ...(plan.identity
        ? {
            podIdentityAssociations: [
              { serviceAccount: plan.identity.serviceAccount, roleArn: plan.identity.role.arn },
            ],
          }
        : {}),
    },
    { ...site.here, dependsOn: [...dependsOn, ...(plan.identity?.role.ready ?? [])] },
  );
}

/** Daemons every node needs to become ready; they settle without nodes, so node groups wait for them. */
export function createNodeAddons(site: Site, cluster: Cluster, identities: PodIdentities): Resource[] {
  const agent = install(site, cluster, { name: 'eks-pod-identity-agent' }, identities.associations);
  const network = install(
    site,
    cluster,
    {
      name: 'vpc-cni',
      // Without this flag NetworkPolicy objects are accepted and do nothing.
      values: { enableNetworkPolicy: 'true', env: { ENABLE_PREFIX_DELEGATION: 'true' } },
      identity: { serviceAccount: 'aws-node', role: identities.network },
    },
    [agent],
  );
  return [agent, network, install(site, cluster, { name: 'kube-proxy' }, [])];
}

/** Add-ons whose pods need a node: names, disks, resource metrics. */
export function createWorkloadAddons(
  site: Site,
  cluster: Cluster,
  options: { readonly identities: PodIdentities; readonly nodes: readonly Resource[] },
): Resource[] {
  const plans: AddonPlan[] = [
    { name: 'coredns' },
    {
      name: 'aws-ebs-csi-driver',
      identity: { serviceAccount: 'ebs-csi-controller-sa', role: options.identities.storage },
    },
    { name: 'metrics-server' },
  ];
  return plans.map((plan) => install(site, cluster, plan, options.nodes));
}
