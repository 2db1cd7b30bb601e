import {
  CopyDBSnapshotCommand,
  CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DeleteDBSnapshotCommand,
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  type RDSClient,
  RestoreDBInstanceToPointInTimeCommand,
  type RestoreDBInstanceToPointInTimeCommandInput,
} from '@aws-sdk/client-rds';
import type { DatabaseRestore, DatabaseService, Tags } from '../../ports/backup/database-service.ts';
import { errorName, explained } from '../errors/service-errors.ts';
import { continuousOf, instanceOf, snapshotOf } from './rds-descriptions.ts';
import { explainRdsError } from './rds-errors.ts';

const tagList = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** An answer, or undefined when what is asked for is not there. */
async function unless<T>(missing: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (errorName(error) === missing) return undefined;
    throw error;
  }
}

/** Everything that the service would otherwise fill in with its own defaults. */
function restoreInput(request: DatabaseRestore): RestoreDBInstanceToPointInTimeCommandInput {
  const { settings } = request;
  return {
    SourceDBInstanceAutomatedBackupsArn: request.from,
    TargetDBInstanceIdentifier: request.id,
    RestoreTime: new Date(request.at),
    DBInstanceClass: settings.instanceClass,
    DBSubnetGroupName: settings.subnetGroup,
    VpcSecurityGroupIds: [...settings.securityGroups],
    DBParameterGroupName: settings.parameterGroup,
    MultiAZ: settings.multiAz,
    PubliclyAccessible: settings.publiclyAccessible,
    DeletionProtection: settings.deletionProtection,
    EnableIAMDatabaseAuthentication: settings.iamAuthentication,
    CopyTagsToSnapshot: settings.copyTagsToSnapshot,
    BackupRetentionPeriod: settings.retentionDays,
    ...(settings.managedSecret
      ? { ManageMasterUserPassword: true, MasterUserSecretKmsKeyId: request.secretKeyArn }
      : {}),
    Tags: tagList(request.tags),
  };
}

type Ask = <T>(action: string, what: string, call: () => Promise<T>) => Promise<T>;

function changesOf(
  client: RDSClient,
  region: string,
  ask: Ask,
): Pick<DatabaseService, 'takeSnapshot' | 'copySnapshot' | 'removeSnapshot' | 'restore' | 'removeInstance'> {
  return {
    takeSnapshot: ({ instance, id, tags }) =>
      ask('CreateDBSnapshot', `snapshot ${id} of ${instance}`, async () => {
        const command = new CreateDBSnapshotCommand({
          DBInstanceIdentifier: instance,
          DBSnapshotIdentifier: id,
          Tags: tagList(tags),
        });
        await unless('DBSnapshotAlreadyExistsFault', () => client.send(command));
      }),
    copySnapshot: ({ from, id, keyArn, tags }) =>
      ask('CopyDBSnapshot', `copy of ${from} to ${region}`, async () => {
        const command = new CopyDBSnapshotCommand({
          SourceDBSnapshotIdentifier: from,
          TargetDBSnapshotIdentifier: id,
          KmsKeyId: keyArn,
          Tags: tagList(tags),
        });
        await unless('DBSnapshotAlreadyExistsFault', () => client.send(command));
      }),
    removeSnapshot: (id) =>
      ask('DeleteDBSnapshot', id, async () => {
        const command = new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id });
        await unless('DBSnapshotNotFoundFault', () => client.send(command));
      }),
    restore: (request) =>
      ask('RestoreDBInstanceToPointInTime', `restore to ${request.id}`, async () => {
        await client.send(new RestoreDBInstanceToPointInTimeCommand(restoreInput(request)));
      }),
    removeInstance: (id) =>
      ask('DeleteDBInstance', id, async () => {
        const command = new DeleteDBInstanceCommand({
          DBInstanceIdentifier: id,
          SkipFinalSnapshot: true,
          DeleteAutomatedBackups: true,
        });
        await unless('DBInstanceNotFoundFault', () => client.send(command));
      }),
  };
}

/** Databases of RDS in the client's region. */
export function rdsDatabaseService(client: RDSClient, region: string): DatabaseService {
  const ask: Ask = (action, what, call) =>
    explained(`rds:${action}`, what, call, (error) => explainRdsError(error, what));
  return {
    region,
    ...changesOf(client, region, ask),
    instance: (id) =>
      ask('DescribeDBInstances', id, async () => {
        const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: id });
        const found = await unless('DBInstanceNotFoundFault', () => client.send(command));
        const [first] = found?.DBInstances ?? [];
        return first && instanceOf(first);
      }),
    snapshot: (id) =>
      ask('DescribeDBSnapshots', id, async () => {
        const command = new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id });
        const found = await unless('DBSnapshotNotFoundFault', () => client.send(command));
        const [first] = found?.DBSnapshots ?? [];
        return first && snapshotOf(first);
      }),
    snapshots: (prefix) =>
      ask('DescribeDBSnapshots', `${prefix}*`, async () => {
        const all = [];
        let Marker: string | undefined;
        do {
          const page = await client.send(
            new DescribeDBSnapshotsCommand({
              SnapshotType: 'manual',
              ...(Marker === undefined ? {} : { Marker }),
            }),
          );
          all.push(...(page.DBSnapshots ?? []));
          Marker = page.Marker;
        } while (Marker !== undefined && Marker !== '');
        return all.map(snapshotOf).filter(({ id }) => id.startsWith(prefix));
      }),
    continuousBackup: (database) =>
      ask('DescribeDBInstanceAutomatedBackups', database, async () => {
        const found = await client.send(
          new DescribeDBInstanceAutomatedBackupsCommand({ DBInstanceIdentifier: database }),
        );
        // An instance that was replaced leaves backups that are retained; those that follow one come first.
        const all = (found.DBInstanceAutomatedBackups ?? []).map(continuousOf);
        return all.find(({ status }) => status !== 'retained') ?? all[0];
      }),
  };
}
