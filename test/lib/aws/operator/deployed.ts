import { loadConfig } from '../../../../lib/config/load-config.ts';
import type { ServiceConfig } from '../../../../lib/config/service-config.ts';
import { ssmParameterName } from '../../../../lib/config/ssm-parameters.ts';
import { readYaml } from '../../../../local/declaration/read-yaml.ts';

/** Settings of environment dev, as the repository has them. */
export const awsSettings: ServiceConfig = loadConfig({
  file: readYaml('infra/config/dev.yml'),
  variables: {},
});

const arn = (service: string, name: string) => `arn:aws:${service}:us-west-2:123456789012:${name}`;

/** Parameters that the command line reads, as infrastructure writes them. */
export const deployed = {
  'alerts/topic-arn': arn('sns', 'epsilon-alerts-dev'),
  'batch/spot-queue-arn': arn('batch', 'job-queue/spot'),
  'batch/on-demand-queue-arn': arn('batch', 'job-queue/on-demand'),
  'batch/job-definition-arns': '{}',
  'ecr/data-pipeline-url': 'd',
  'ecr/ml-engine-url': 'm',
  'ecr/deployer-url': 'p',
  'eks/cluster-name': 'embeddings-saas-cluster-dev',
  'jobs/role-arn': 'arn:aws:iam::123456789012:role/epsilon-tenant-job-dev',
  's3/data-bucket': awsSettings.dataBucket,
};

/** Answers GetParameters as SSM does: what is not there is left out. */
export function parametersOf(values: Readonly<Record<string, string>>, environment = 'dev') {
  const byName = new Map(
    Object.entries(values).map(([name, value]) => [ssmParameterName(environment, name), value]),
  );
  return ({ Names = [] }: { Names?: string[] }) => ({
    Parameters: Names.flatMap((Name) => {
      const Value = byName.get(Name);
      return Value === undefined ? [] : [{ Name, Value }];
    }),
    InvalidParameters: Names.filter((Name) => !byName.has(Name)),
  });
}
