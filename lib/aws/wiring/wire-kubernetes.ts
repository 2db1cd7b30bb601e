import { createKubernetesClient } from '../../kubernetes/client.ts';
import { KubernetesJobRunner } from '../../kubernetes/job-runner.ts';
import { createTransport } from '../../kubernetes/transport.ts';
import type { JobRunners } from '../../ports/ports.ts';
import { eksClusterAccess } from '../eks/eks-cluster.ts';
import type { AwsBase } from './base.ts';

/** Jobs of the EKS backend; no runner where the deployment names no cluster. Nothing is loaded or called until a job is. */
export const wireKubernetes = (base: AwsBase): { readonly jobs: Pick<JobRunners, 'eks'> } => {
  const { config, deployment, clock, random } = base;
  if (deployment.eksClusterName === undefined) return { jobs: { eks: undefined } };
  const access = eksClusterAccess(base, deployment.eksClusterName);
  const client = createKubernetesClient(createTransport({ access, clock, random }));
  const { jobRoleArn } = deployment;
  return {
    jobs: { eks: new KubernetesJobRunner({ client, deployment: { region: config.region, jobRoleArn } }) },
  };
};
