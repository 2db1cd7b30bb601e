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
    // Side by side with the agent: on a node both are daemons that do not wait for each other to be scheduled.
    [],
  );
  return [agent, network, install(site, cluster, { name: 'kube-proxy' }, [])];
}

/**
 * Names are asked for by everything: two replicas never on one node, one of them on a node that is not spot if there is one
 * (tolerating the taint of `ml`), and never both away for a change of nodes.
 */
const names = {
  replicaCount: 2,
  podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
  topologySpreadConstraints: [
    ['kubernetes.io/hostname', 'DoNotSchedule'],
    ['epsilon/capacity', 'ScheduleAnyway'],
    ['topology.kubernetes.io/zone', 'ScheduleAnyway'],
  ].map(([topologyKey, whenUnsatisfiable]) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable,
    labelSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
  })),
  // A list given here replaces the add-on's own, whose two are the first two.
  tolerations: [
    { key: 'CriticalAddonsOnly', operator: 'Exists' },
    { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
    { key: 'workload', operator: 'Equal', value: 'ml', effect: 'NoSchedule' },
  ],
};

/** Add-ons whose pods need a node: names, disks, resource metrics. */
export function createWorkloadAddons(
  site: Site,
  cluster: Cluster,
  options: { readonly identities: PodIdentities; readonly nodes: readonly Resource[] },
): Resource[] {
  const plans: AddonPlan[] = [
    { name: 'coredns', values: names },
    {
      name: 'aws-ebs-csi-driver',
      // Disks that it makes cost as much as those that Pulumi makes.
      values: { controller: { extraVolumeTags: site.tags } },
      identity: { serviceAccount: 'ebs-csi-controller-sa', role: options.identities.storage },
    },
    { name: 'metrics-server' },
  ];
  return plans.map((plan) => install(site, cluster, plan, options.nodes));
}
