import { S3Client } from '@aws-sdk/client-s3';
import { AirflowApi, type AirflowTransport } from '../../airflow/airflow-api.ts';
import { AirflowJobRunner } from '../../airflow/airflow-job-runner.ts';
import { AirflowOverHttp } from '../../airflow/http-transport.ts';
import type { AirflowConfig } from '../../config/airflow.ts';
import type { JobRunner } from '../../ports/job-runner.ts';
import { createS3ObjectStore } from '../s3/s3-object-store.ts';
import type { AwsBase } from '../wiring/base.ts';
import { AirflowOnMwaa } from './mwaa-transport.ts';
import { secretCredentials } from './secret-credentials.ts';

function transportOf({ clients, config, deployment }: AwsBase, airflow: AirflowConfig): AirflowTransport {
  const { api } = airflow;
  if (airflow.mode === 'http')
    return new AirflowOverHttp({
      url: airflow.url,
      api,
      credentials: secretCredentials(clients, airflow.secret),
    });
  return new AirflowOnMwaa({
    environmentName: airflow.environmentName,
    api,
    region: config.region,
    dnsSuffix: deployment.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
    signer: async () => {
      const { SignatureV4, STSClient } = await import('../lazy/eks.ts');
      const { credentials, sha256 } = clients.of(STSClient).config;
      const v4 = new SignatureV4({ service: 'airflow', region: config.region, credentials, sha256 });
      return { sign: async (request) => ({ ...request, headers: (await v4.sign({ ...request })).headers }) };
    },
  });
}

/** The runner of a deployment whose eks jobs are runs of an Airflow; `kubernetes` describes their pods. */
export function openAirflowRunner(
  base: AwsBase,
  airflow: AirflowConfig,
  kubernetes: Required<Pick<JobRunner, 'podOf'>>,
): JobRunner {
  return new AirflowJobRunner({
    api: new AirflowApi(transportOf(base, airflow)),
    objects: createS3ObjectStore({ client: base.clients.of(S3Client) }),
    podOf: (spec) => kubernetes.podOf(spec),
    maxActiveRuns: airflow.maxActiveRuns,
    report: { bus: base.deployment.eventBusName, region: base.config.region },
  });
}
