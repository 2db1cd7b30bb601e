import { createKubernetesClient } from '../../kubernetes/client.ts';
import { KubernetesJobRunner } from '../../kubernetes/job-runner.ts';
import { createTransport } from '../../kubernetes/transport.ts';
import { eksClusterAccess } from '../eks/eks-cluster.ts';
import type { AwsBase, PortsPart } from './base.ts';

/** Jobs of the EKS backend; no runner where the deployment names no cluster. Nothing is loaded or called until a job is. */
export const part = (base: AwsBase): PortsPart => {
  const { config, deployment, clock, random } = base;
  if (deployment.eksClusterName === undefined) return {};
  const access = eksClusterAccess(base, deployment.eksClusterName);
  const client = createKubernetesClient(createTransport({ access, clock, random }));
  const place = { region: config.region, jobRoleArn: deployment.jobRoleArn };
  return { runners: [new KubernetesJobRunner({ client, place })] };
};
