import type { RecoverySettings } from '../../backup/cloud/settings.ts';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import type { Landing } from '../../ports/backup/database-service.ts';
import type { AwsBase } from './base.ts';

/** What backups need to know of the environment's two regions. */
export interface RecoveryPlace {
  readonly settings: RecoverySettings;
  readonly databaseId: string;
  readonly replicaKeyArn: string;
  readonly replicaBucket: string;
  /** Settings of a restored database that belong to the region. */
  readonly landing: Landing;
}

function refuse(code: string, message: string, details: Record<string, unknown>): EpsilonError {
  return new EpsilonError(code, message, { exitCode: exitCodes.badInput, details });
}

/**
 * The other region's resources, checked before anything is called: a key is of the account, the partition and the region that it is
 * used in. Errors: `DEPLOYMENT_INCOMPLETE`, `ARN_MISMATCH` with what was expected, `KMS_KEY_REGION`.
 */
export function recoveryPlace({
  config,
  deployment,
}: Pick<AwsBase, 'config' | 'deployment'>): RecoveryPlace | undefined {
  const { recovery } = config;
  if (recovery.mode === 'off') return undefined;
  const { databaseId, replicaKeyArn, replicaBucket, accountId, partition } = deployment;
  const { restoreSubnetGroup, restoreParameterGroup, restoreSecurityGroupId } = deployment;
  if (databaseId === undefined || replicaKeyArn === undefined || replicaBucket === undefined)
    throw refuse(
      'DEPLOYMENT_INCOMPLETE',
      'Backups need EPSILON_AWS_DATABASE_ID, EPSILON_AWS_REPLICA_KEY_ARN and EPSILON_AWS_REPLICA_BUCKET.',
      {},
    );
  const [, arnPartition, , region, account] = replicaKeyArn.split(':');
  if (arnPartition !== partition || account !== accountId)
    throw refuse(
      'ARN_MISMATCH',
      `The key of the replicas ${replicaKeyArn} is of ${arnPartition}, account ${account}; expected are ${partition}, account ${accountId}.`,
      { expected: { partition, accountId }, actual: { partition: arnPartition, accountId: account } },
    );
  if (region !== recovery.region)
    throw refuse(
      'KMS_KEY_REGION',
      `The key of the replicas ${replicaKeyArn} is in ${region}; a copy in ${recovery.region} needs a key of that region.`,
      { expected: recovery.region, actual: region },
    );
  const landing = {
    subnetGroup: restoreSubnetGroup ?? '',
    parameterGroup: restoreParameterGroup ?? '',
    securityGroups: restoreSecurityGroupId === undefined ? [] : [restoreSecurityGroupId],
    keyArn: replicaKeyArn,
  };
  return { settings: recovery, databaseId, replicaKeyArn, replicaBucket, landing };
}
