import type { AirflowConfig } from '../../config/airflow.ts';
import type { KubernetesJobRunner } from '../../kubernetes/job-runner.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import type { AwsBase } from './base.ts';

/**
 * Jobs of the eks backend as runs of an Airflow, in the cluster that the Kubernetes runner knows. Nothing of Airflow is loaded before the
 * first job, and nothing at all where the settings name none.
 */
export function airflowJobs(
  base: AwsBase,
  airflow: AirflowConfig,
  kubernetes: KubernetesJobRunner,
): JobRunner {
  let opened: Promise<JobRunner> | undefined;
  const runner = () => {
    opened ??= import('../airflow/airflow-runner.ts').then(({ openAirflowRunner }) =>
      openAirflowRunner(base, airflow, kubernetes),
    );
    return opened;
  };
  return {
    backend: 'eks',
    namesAreIds: true,
    submit: async (spec, options) => (await runner()).submit(spec, options),
    find: async (jobName) => (await runner()).find(jobName),
    observe: async (jobs) => (await runner()).observe(jobs),
    cancel: async (job, reason) => (await runner()).cancel(job, reason),
    podOf: (spec) => kubernetes.podOf(spec),
    // Airflow's pods have the labels that Epsilon gave them.
    runningOn: (instanceId) => kubernetes.runningOn(instanceId),
  };
}
