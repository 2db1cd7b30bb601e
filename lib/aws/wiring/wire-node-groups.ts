import type { SizedGroups } from '../../ports/serving/sized-groups.ts';
import type { AwsBase } from './base.ts';

/** Where there is no cluster there are no groups. */
const nowhere: SizedGroups = { size: async () => undefined, setMin: async () => 'held' };

/** The cluster's managed node groups; the client is loaded with the first call. */
export const wireNodeGroups = ({ clients, deployment }: AwsBase): { readonly nodeGroups: SizedGroups } => {
  const { eksClusterName } = deployment;
  if (eksClusterName === undefined) return { nodeGroups: nowhere };
  const groups = async () => {
    const { EKSClient } = await import('../lazy/eks.ts');
    const { eksNodeGroups } = await import('../eks/eks-node-groups.ts');
    return eksNodeGroups(clients.of(EKSClient), eksClusterName);
  };
  return {
    nodeGroups: {
      size: async (group) => (await groups()).size(group),
      setMin: async (group, min) => (await groups()).setMin(group, min),
    },
  };
};
