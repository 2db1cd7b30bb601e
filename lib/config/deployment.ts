import { z } from 'zod';
import { checkSchema } from '../errors/check-schema.ts';
import { EpsilonError, exitCodes } from '../errors/epsilon-error.ts';
import { imageNames, stageNames } from '../training/stages.ts';
import { variableOf } from './deployment-fact.ts';

const arn = z.string().regex(/^arn:aws[a-z-]*:/, 'must be an ARN');

const json = <S extends z.ZodType>(schema: S) =>
  z.string().transform((text, context) => {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON of the documented shape' });
      return z.NEVER;
    }
  });

/**
 * What a deployed function, or the command line with `--target aws`, knows of the resources around it: names and
 * ARNs, never secrets. A function reads them from its environment as `EPSILON_AWS_<NAME>` (infra/serverless);
 * the command line derives them from account, region and SSM parameters. Settings proper are lib/config/service-config.ts.
 */
export const deploymentSchema = z.object({
  partition: z
    .string()
    .regex(/^aws[a-z-]*$/)
    .default('aws'),
  accountId: z.string().regex(/^\d{12}$/, 'must be 12 digits'),
  /** DynamoDB table of tenants, runs, leases, claims and models. */
  tableName: z.string().min(3),
  /** KMS key under which task tokens are sealed; a function that touches no token does without. */
  tokenKeyArn: arn.optional(),
  eventBusName: z.string().min(1),
  alertsTopicArn: arn,
  /** Batch queues: spot is tried first. */
  batchSpotQueueArn: arn.optional(),
  batchOnDemandQueueArn: arn.optional(),
  /** Stage to the ARN of the Batch job definition that Infrastructure wrote; a stage without one cannot run on Batch. */
  batchJobDefinitionArns: json(z.partialRecord(z.enum(stageNames), arn)).optional(),
  /** Image name to its repository (`<account>.dkr.ecr.<region>.amazonaws.com/<name>`). */
  repositoryUrls: json(z.partialRecord(z.enum(imageNames), z.string().min(1))).optional(),
  /** Role a job takes with its TenantId session tag. */
  jobRoleArn: arn.optional(),
  /** Where jobs on Batch ask for credentials; absent for callers that submit none. */
  credentialsUrl: z.url({ protocol: /^https$/ }).optional(),
  eksClusterName: z.string().min(1).optional(),
  /**
   * Region that the function runs in, where that is the other one: it restores there while the settings are those of the environment.
   */
  standsIn: z.string().min(1).optional(),
  /** Table of the environment, whose replica is in this region, where `tableName` is one of the functions that restore. */
  homeTableName: z.string().min(3).optional(),
  /** Table that says at run time where records go on; absent where `tableName` does. */
  placeTableName: z.string().min(3).optional(),
  /** Identifier of the database. */
  databaseId: z.string().min(1).optional(),
  /** `host:port` of the database; absent where functions do not reach its network. */
  databaseEndpoint: z
    .string()
    .regex(/^[\w.-]+(:\d+)?$/, 'must be host:port')
    .optional(),
  /** Bucket and key of the replicas, in the region of the setting `recovery.region`. */
  replicaBucket: z.string().min(3).optional(),
  replicaKeyArn: arn.optional(),
  /** Host of the cache, and the secret with its token; absent where functions do not reach its network. */
  cacheEndpoint: z.string().min(1).optional(),
  cacheSecretArn: arn.optional(),
  /** Whether the function is in the network of restored databases: without it their content is not looked at. */
  restoreNetwork: z.enum(['on', 'off']).optional(),
  /** Where a restored database goes in that region. */
  restoreSubnetGroup: z.string().min(1).optional(),
  restoreParameterGroup: z.string().min(1).optional(),
  restoreSecurityGroupId: z.string().min(1).optional(),
});

/** The resources around a deployed function. */
export type Deployment = Readonly<z.output<typeof deploymentSchema>>;

/** Names of the variables, by field: `tableName` is `EPSILON_AWS_TABLE_NAME`. */
export const deploymentVariables: Readonly<Record<keyof Deployment, string>> = Object.fromEntries(
  Object.keys(deploymentSchema.shape).map((field) => [field, variableOf(field)]),
) as Record<keyof Deployment, string>;

/** Reads the resources from environment variables. Error: `DEPLOYMENT_INCOMPLETE` naming variable and reason. */
export function deploymentOf(variables: Readonly<Record<string, string | undefined>>): Deployment {
  const found = Object.fromEntries(
    Object.entries(deploymentVariables).flatMap(([field, variable]) =>
      variables[variable] ? [[field, variables[variable]]] : [],
    ),
  );
  const parsed = checkSchema(deploymentSchema, found);
  if (parsed.success) return Object.freeze(parsed.data);
  const { path, sentence } = parsed.fault;
  const field = String(path[0] ?? '') as keyof Deployment;
  throw new EpsilonError('DEPLOYMENT_INCOMPLETE', `${deploymentVariables[field] ?? field}: ${sentence}.`, {
    exitCode: exitCodes.badInput,
    details: { field },
  });
}

/** ARN of a state machine by its key in serverless.yml, as `nightly-training`. */
export function stateMachineArn(
  { partition, accountId }: Pick<Deployment, 'partition' | 'accountId'>,
  { environment, region }: { readonly environment: string; readonly region: string },
  machine: string,
): string {
  return `arn:${partition}:states:${region}:${accountId}:stateMachine:epsilon-${environment}-${machine}`;
}
