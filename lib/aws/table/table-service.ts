import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ListTagsOfResourceCommand,
} from '@aws-sdk/client-dynamodb';
import type { TableRecords, TableService } from '../../ports/backup/table-service.ts';
import { errorName, explained } from '../errors/service-errors.ts';
import { changesOf } from './table-changes.ts';

/** Tables of DynamoDB in the client's region. */
export function dynamoTableService(
  client: DynamoDBClient,
  region: string,
  open: (table: string) => TableRecords,
): TableService {
  async function ask<T>(action: string, table: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await explained(`dynamodb:${action}`, table, call);
    } catch (error) {
      if (['ResourceNotFoundException', 'TableNotFoundException'].includes(errorName(error)))
        return undefined;
      throw error;
    }
  }
  const backupsOf = async (TableName: string) => {
    const found = await ask('DescribeContinuousBackups', TableName, () =>
      client.send(new DescribeContinuousBackupsCommand({ TableName })),
    );
    return found?.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  };
  return {
    region,
    stores: open,
    ...changesOf(client),
    continuousBackup: async (table) => {
      const found = await backupsOf(table);
      if (!found) return undefined;
      const { EarliestRestorableDateTime: oldest, LatestRestorableDateTime: newest } = found;
      return {
        arn: table,
        status: found.PointInTimeRecoveryStatus === 'ENABLED' ? 'active' : 'disabled',
        ...(oldest === undefined ? {} : { oldest: oldest.toISOString() }),
        ...(newest === undefined ? {} : { newest: newest.toISOString() }),
      };
    },
    table: async (TableName) => {
      const described = await ask('DescribeTable', TableName, () =>
        client.send(new DescribeTableCommand({ TableName })),
      );
      const found = described?.Table;
      if (!found) return undefined;
      const { TableArn: arn = '', TableStatus: status = 'UNKNOWN', ItemCount: items = 0 } = found;
      const backups = await backupsOf(TableName);
      const life = await ask('DescribeTimeToLive', TableName, () =>
        client.send(new DescribeTimeToLiveCommand({ TableName })),
      );
      const { TimeToLiveStatus, AttributeName } = life?.TimeToLiveDescription ?? {};
      const tags = await ask('ListTagsOfResource', TableName, () =>
        client.send(new ListTagsOfResourceCommand({ ResourceArn: arn })),
      );
      const on = TimeToLiveStatus === 'ENABLED' || TimeToLiveStatus === 'ENABLING';
      return {
        name: TableName,
        arn,
        status,
        ...(on && AttributeName !== undefined ? { ttlAttribute: AttributeName } : {}),
        recoverable: backups?.PointInTimeRecoveryStatus === 'ENABLED',
        deletionProtection: found.DeletionProtectionEnabled ?? false,
        tags: Object.fromEntries((tags?.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
        items,
      };
    },
  };
}
