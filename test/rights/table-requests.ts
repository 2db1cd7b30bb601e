import type { RecordedCall } from '../dynamodb/memory-dynamodb.ts';
import { account, arnOf, region } from '../fixtures/aws-base.ts';
import { type AwsRequest, ask, resources, throughService } from './requests.ts';
import { type TableUse, usesOf } from './table-rights.ts';

const arnOfTable = (name: string) => arnOf('dynamodb', `table/${name}`);

function requestOf({ action, place, partition }: TableUse, tableArn: string): AwsRequest {
  const resource = place === 'index' ? `${tableArn}/index/openWork` : tableArn;
  return ask(action, resource, { 'dynamodb:LeadingKeys': [partition] });
}

/** What DynamoDB asks of who restores a table: it fills the new one in the caller's name. */
const filling = ['BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'Scan', 'UpdateItem'];

function restoreRequests(from: string, to: string): AwsRequest[] {
  return [
    ask('dynamodb:RestoreTableToPointInTime', arnOfTable(from)),
    ask('dynamodb:RestoreTableToPointInTime', arnOfTable(to)),
    ...filling.map((action) => ask(`dynamodb:${action}`, arnOfTable(to))),
    ...['kms:CreateGrant', 'kms:DescribeKey'].map((action) =>
      ask(action, resources.dataKey, { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` }),
    ),
  ];
}

const onItems = /^(Get|Put|Update|Delete|BatchGet|TransactWrite)Items?$|^Query$/;

/** What IAM is asked for one call to a table; DynamoDB opens the table's key in the caller's name. */
export function requestsOfTableCall(call: RecordedCall): AwsRequest[] {
  const input = call.input as { TableName?: string; RequestItems?: object; ResourceArn?: string };
  const { SourceTableName: from, TargetTableName: to } = call.input as Record<string, string>;
  if (from !== undefined && to !== undefined) return restoreRequests(from, to);
  const [batched] = Object.keys(input.RequestItems ?? {});
  const name = input.TableName ?? batched ?? input.ResourceArn?.split('/').at(-1) ?? resources.table;
  if (!onItems.test(call.action)) return [ask(`dynamodb:${call.action}`, arnOfTable(name))];
  const context = { 'aws:dynamodb:tableName': name, 'aws:dynamodb:subscriberId': account };
  return [
    ...usesOf(call).map((use) => requestOf(use, arnOfTable(name))),
    throughService('Decrypt', resources.dataKey, 'dynamodb', context),
  ];
}
