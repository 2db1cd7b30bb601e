import type { SizedGroups } from '../../ports/serving/sized-groups.ts';
import { eksNodeGroups } from '../eks/eks-node-groups.ts';
import type { AwsBase } from './base.ts';

/** Where there is no cluster there are no groups. */
const nowhere: SizedGroups = { size: async () => undefined, setMin: async () => 'held' };

/** The cluster's managed node groups; the client is loaded with the first call. */
export const wireNodeGroups = ({ clients, deployment }: AwsBase): { readonly nodeGroups: SizedGroups } => {
  const { eksClusterName } = deployment;
  if (eksClusterName === undefined) return { nodeGroups: nowhere };
  const client = async () => clients.of((await import('../lazy/eks.ts')).EKSClient);
  return { nodeGroups: eksNodeGroups(client, eksClusterName) };
};
