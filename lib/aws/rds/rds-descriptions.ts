import type { DBInstance, DBInstanceAutomatedBackup, DBSnapshot, Tag } from '@aws-sdk/client-rds';
import type { ContinuousBackup, DatabaseInstance, DatabaseSnapshot } from '../../backup/cloud/resources.ts';

const tagsOf = (tags: readonly Tag[] = []) =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

const at = <K extends string>(key: K, date: Date | undefined) =>
  (date === undefined ? {} : { [key]: date.toISOString() }) as { readonly [P in K]?: string };

/** An instance as the port gives it. */
export function instanceOf(found: DBInstance): DatabaseInstance {
  return {
    id: found.DBInstanceIdentifier ?? '',
    arn: found.DBInstanceArn ?? '',
    status: found.DBInstanceStatus ?? 'unknown',
    ...at('newest', found.LatestRestorableTime),
    ...(found.Endpoint?.Address === undefined
      ? {}
      : { endpoint: { host: found.Endpoint.Address, port: found.Endpoint.Port ?? 5432 } }),
    ...(found.MasterUserSecret?.SecretArn === undefined
      ? {}
      : { secretArn: found.MasterUserSecret.SecretArn }),
    settings: {
      subnetGroup: found.DBSubnetGroup?.DBSubnetGroupName ?? '',
      securityGroups: (found.VpcSecurityGroups ?? []).map((group) => group.VpcSecurityGroupId ?? '').sort(),
      parameterGroup: found.DBParameterGroups?.[0]?.DBParameterGroupName ?? '',
      instanceClass: found.DBInstanceClass ?? '',
      multiAz: found.MultiAZ ?? false,
      deletionProtection: found.DeletionProtection ?? false,
      iamAuthentication: found.IAMDatabaseAuthenticationEnabled ?? false,
      publiclyAccessible: found.PubliclyAccessible ?? false,
      copyTagsToSnapshot: found.CopyTagsToSnapshot ?? false,
      retentionDays: found.BackupRetentionPeriod ?? 0,
      keyArn: found.KmsKeyId ?? '',
      managedSecret: found.MasterUserSecret !== undefined,
    },
    tags: tagsOf(found.TagList),
  };
}

/** A snapshot as the port gives it: of a copy, the moment of what it was copied from. */
export function snapshotOf(found: DBSnapshot): DatabaseSnapshot {
  return {
    id: found.DBSnapshotIdentifier ?? '',
    arn: found.DBSnapshotArn ?? '',
    instance: found.DBInstanceIdentifier ?? '',
    status: found.Status ?? 'unknown',
    progress: found.PercentProgress ?? 0,
    ...at('takenAt', found.OriginalSnapshotCreateTime ?? found.SnapshotCreateTime),
    encrypted: found.Encrypted ?? false,
  };
}

/** Automated backups as the port gives them. */
export function continuousOf(found: DBInstanceAutomatedBackup): ContinuousBackup {
  return {
    arn: found.DBInstanceAutomatedBackupsArn ?? '',
    status: found.Status ?? 'unknown',
    ...at('oldest', found.RestoreWindow?.EarliestTime),
    ...at('newest', found.RestoreWindow?.LatestTime),
    ...(found.KmsKeyId === undefined ? {} : { keyArn: found.KmsKeyId }),
  };
}
