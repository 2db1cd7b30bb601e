import { factOf } from '../../config/deployment-fact.ts';
import { createKubernetesClient } from '../../kubernetes/client.ts';
import { KubernetesJobRunner } from '../../kubernetes/job-runner.ts';
import { createTransport } from '../../kubernetes/transport.ts';
import type { JobRunners } from '../../ports/ports.ts';
import { eksClusterAccess } from '../eks/eks-cluster.ts';
import { airflowJobs } from './airflow-jobs.ts';
import type { AwsBase } from './base.ts';

/**
 * Jobs of the EKS backend, started by Epsilon or, where the settings name one, by an Airflow; no runner where the deployment names no
 * cluster. Nothing is loaded or called until a job is.
 */
export const wireKubernetes = (base: AwsBase): { readonly jobs: Pick<JobRunners, 'eks'> } => {
  const { config, deployment, clock, random } = base;
  if (deployment.eksClusterName === undefined) return { jobs: { eks: undefined } };
  const access = eksClusterAccess(base, deployment.eksClusterName);
  const client = createKubernetesClient(createTransport({ access, clock, random }));
  const jobRoleArn = factOf(deployment, 'jobRoleArn');
  const kubernetes = new KubernetesJobRunner({ client, deployment: { region: config.region, jobRoleArn } });
  const { airflow } = config;
  return { jobs: { eks: airflow.mode === 'off' ? kubernetes : airflowJobs(base, airflow, kubernetes) } };
};
