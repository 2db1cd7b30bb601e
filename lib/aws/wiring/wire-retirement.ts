import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Retirement } from '../../ports/backup/retirement.ts';
import { tableRetirement } from '../table/retirement.ts';
import { Table } from '../table/table.ts';
import type { AwsBase } from './base.ts';

/** What takes records away, in DynamoDB. */
export const wireRetirement = ({
  clients,
  deployment,
  clock,
  random,
  ids,
}: AwsBase): { readonly retirement: Retirement } => {
  const { tableName } = deployment;
  const table = new Table({ client: clients.of(DynamoDBClient), tableName, clock, random, ids });
  return { retirement: tableRetirement(table) };
};
