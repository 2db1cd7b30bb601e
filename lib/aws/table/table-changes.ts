import {
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  RestoreTableToPointInTimeCommand,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { ResourceBusy } from '../../errors/recovery-errors.ts';
import type { TableService } from '../../ports/backup/table-service.ts';
import { errorName, explained } from '../errors/service-errors.ts';

/** Attribute of the time to live, and days that the restored table can be restored to in turn. */
const ttlAttribute = 'ttl';
const recoveryDays = 35;

function explainRestore(error: unknown, what: string): unknown {
  const { message } = error as Error;
  if (errorName(error) === 'TableAlreadyExistsException')
    return new EpsilonError('RESTORE_TARGET_NOT_EMPTY', `${what}: there is a table of that name.`, {
      exitCode: exitCodes.conflict,
      cause: error,
    });
  if (['InvalidRestoreTimeException', 'PointInTimeRecoveryUnavailableException'].includes(errorName(error)))
    return new EpsilonError('RESTORE_POINT_OUT_OF_RANGE', `${what}: ${message}`, { cause: error });
  return error;
}

/** What was set already is answered by an error of its own. */
async function unlessSet(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!/already enabled|already set/i.test((error as Error).message)) throw error;
  }
}

/** What changes tables of DynamoDB in the client's region. */
export function changesOf(client: DynamoDBClient): Pick<TableService, 'restore' | 'protect' | 'remove'> {
  return {
    restore: async ({ from, name, at, keyArn }) => {
      const what = `restore to ${name}`;
      await explained(
        'dynamodb:RestoreTableToPointInTime',
        what,
        () =>
          client.send(
            new RestoreTableToPointInTimeCommand({
              SourceTableName: from,
              TargetTableName: name,
              RestoreDateTime: new Date(at),
              SSESpecificationOverride: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: keyArn },
            }),
          ),
        (error) => explainRestore(error, what),
      );
    },
    protect: (name, { deletionProtection, tags }) =>
      explained('dynamodb:UpdateTable', name, async () => {
        const { Table: found } = await client.send(new DescribeTableCommand({ TableName: name }));
        const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
        await client.send(new TagResourceCommand({ ResourceArn: found?.TableArn, Tags }));
        await unlessSet(() =>
          client.send(
            new UpdateTimeToLiveCommand({
              TableName: name,
              TimeToLiveSpecification: { AttributeName: ttlAttribute, Enabled: true },
            }),
          ),
        );
        await client.send(
          new UpdateContinuousBackupsCommand({
            TableName: name,
            PointInTimeRecoverySpecification: {
              PointInTimeRecoveryEnabled: true,
              RecoveryPeriodInDays: recoveryDays,
            },
          }),
        );
        if (deletionProtection && !found?.DeletionProtectionEnabled)
          await client.send(new UpdateTableCommand({ TableName: name, DeletionProtectionEnabled: true }));
      }),
    remove: (name) =>
      explained('dynamodb:DeleteTable', name, async () => {
        try {
          await client.send(new DeleteTableCommand({ TableName: name }));
        } catch (error) {
          if (errorName(error) === 'ResourceInUseException')
            throw new ResourceBusy(`${name} is being made or removed`, error);
          if (errorName(error) !== 'ResourceNotFoundException') throw error;
        }
      }),
  };
}
