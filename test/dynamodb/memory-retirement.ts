import { tableRetirement } from '../../lib/aws/table/retirement.ts';
import { Table } from '../../lib/aws/table/table.ts';
import type { Retirement } from '../../lib/ports/backup/retirement.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { systemIds } from '../../lib/system/system-ids.ts';
import type { MemoryDynamoDb } from './memory-dynamodb.ts';

/** What takes records of a table in memory away. */
export function openMemoryRetirement(dynamo: MemoryDynamoDb, clock: Clock): Retirement {
  const { tableName } = dynamo;
  const table = new Table({
    client: dynamo.client(4),
    tableName,
    clock,
    random: () => 0.5,
    ids: systemIds(clock),
  });
  return tableRetirement(table);
}
