import type { ClusterAccess } from '../../kubernetes/api-server.ts';
import { createEksAccess } from '../../kubernetes/eks-access.ts';
import { explainServiceError } from '../errors/service-errors.ts';
import type { AwsBase } from '../wiring/base.ts';

/** Access to an EKS cluster with this process's own role. SDK clients and signer are loaded when the cluster is first touched. */
export function eksClusterAccess(
  { clients, config, deployment, clock }: Pick<AwsBase, 'clients' | 'config' | 'deployment' | 'clock'>,
  clusterName: string,
): ClusterAccess {
  return createEksAccess({
    clusterName,
    region: config.region,
    dnsSuffix: deployment.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
    clock,
    describe: async (name) => {
      const { DescribeClusterCommand, EKSClient } = await import('../lazy/eks.ts');
      try {
        return (await clients.of(EKSClient).send(new DescribeClusterCommand({ name }))).cluster;
      } catch (error) {
        throw explainServiceError(error, 'eks:DescribeCluster', name);
      }
    },
    signer: async () => {
      const { SignatureV4, STSClient } = await import('../lazy/eks.ts');
      const { credentials, sha256 } = clients.of(STSClient).config;
      return new SignatureV4({ service: 'sts', region: config.region, credentials, sha256 });
    },
  });
}
