import type { SSMClient } from '@aws-sdk/client-ssm';
import type { z } from 'zod';
import { type Deployment, deploymentSchema } from '../../config/deployment.ts';
import type { ServiceConfig } from '../../config/service-config.ts';
import { checkSchema } from '../../errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { imageNames } from '../../training/stages.ts';
import type { Caller } from './caller.ts';
import { readParameters } from './parameters.ts';

/** Parameters that the command line needs: few enough for one call. */
const needed = [
  'alerts/topic-arn',
  'batch/spot-queue-arn',
  'batch/on-demand-queue-arn',
  'batch/job-definition-arns',
  'ecr/data-pipeline-url',
  'ecr/ml-engine-url',
  'ecr/deployer-url',
  'eks/cluster-name',
  'jobs/role-arn',
  's3/data-bucket',
] as const;

type Parameters = Readonly<Record<(typeof needed)[number], string>>;

/** Names of what a deploy makes: table and bus are called after the environment. */
const nameOf = (environment: string) => `epsilon-${environment}`;

function mismatch(what: string, expected: string, actual: string): EpsilonError {
  return new EpsilonError('ARN_MISMATCH', `${what} is ${actual}; expected ${expected}.`, {
    exitCode: exitCodes.badInput,
    details: { what, expected, actual },
  });
}

/** What infrastructure wrote must be about the account, region and bucket that we work in. */
function checkPlace(parameters: Parameters, config: ServiceConfig, { accountId }: Caller): void {
  for (const name of ['batch/spot-queue-arn', 'batch/on-demand-queue-arn', 'alerts/topic-arn'] as const) {
    const [, , , region, account] = parameters[name].split(':');
    if (account !== accountId) throw mismatch(`The account of parameter ${name}`, accountId, account ?? '');
    if (region !== config.region)
      throw mismatch(`The region of parameter ${name}`, config.region, region ?? '');
  }
  const bucket = parameters['s3/data-bucket'];
  if (bucket !== config.dataBucket)
    throw mismatch('The bucket of parameter s3/data-bucket', config.dataBucket, bucket);
}

/**
 * The resources around an environment, for the command line: account by its credentials, names by convention, the rest as
 * infrastructure left it in SSM. Errors: `SSM_PARAMETER_MISSING`, `ARN_MISMATCH`, `DEPLOYMENT_INCOMPLETE`.
 */
export async function deploymentFacts(
  client: SSMClient,
  config: ServiceConfig,
  caller: Caller,
): Promise<Deployment> {
  const { environment } = config;
  const parameters = await readParameters(client, config, needed);
  checkPlace(parameters, config, caller);
  const input: z.input<typeof deploymentSchema> = {
    partition: caller.partition,
    accountId: caller.accountId,
    tableName: nameOf(environment),
    eventBusName: nameOf(environment),
    alertsTopicArn: parameters['alerts/topic-arn'],
    batchSpotQueueArn: parameters['batch/spot-queue-arn'],
    batchOnDemandQueueArn: parameters['batch/on-demand-queue-arn'],
    batchJobDefinitionArns: parameters['batch/job-definition-arns'],
    repositoryUrls: JSON.stringify(
      Object.fromEntries(imageNames.map((image) => [image, parameters[`ecr/${image}-url`]])),
    ),
    jobRoleArn: parameters['jobs/role-arn'],
    eksClusterName: parameters['eks/cluster-name'],
  };
  const parsed = checkSchema(deploymentSchema, input);
  if (parsed.success) return Object.freeze(parsed.data);
  const { path, sentence } = parsed.fault;
  throw new EpsilonError(
    'DEPLOYMENT_INCOMPLETE',
    `Invalid SSM parameters for environment ${environment}: ${path.join('.')}: ${sentence}.`,
    { exitCode: exitCodes.badInput },
  );
}

/** Region in which an environment is restored; `RECOVERY_OFF` where it is nowhere. */
export function standbyRegion({ recovery, environment }: ServiceConfig): string {
  if (recovery.mode === 'on') return recovery.region;
  throw new EpsilonError(
    'RECOVERY_OFF',
    `The settings of ${environment} say "recovery: { mode: off }": nothing stands in another region.`,
    { exitCode: exitCodes.conflict },
  );
}

/** The resources of what stands idle in the other region: all by convention, because the parameters of home may be lost. */
export function standbyFacts(config: ServiceConfig, { accountId, partition }: Caller): Deployment {
  const { environment } = config;
  return {
    partition,
    accountId,
    tableName: `${nameOf(environment)}-recovery`,
    eventBusName: nameOf(environment),
    alertsTopicArn: `arn:${partition}:sns:${standbyRegion(config)}:${accountId}:${nameOf(environment)}-alerts`,
  };
}
