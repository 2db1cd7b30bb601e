import type { RecordedCall } from '../dynamodb/memory-dynamodb.ts';
import { account, arnOf } from '../fixtures/aws-base.ts';
import { type AwsRequest, ask, resources, throughService } from './requests.ts';
import { type TableUse, usesOf } from './table-rights.ts';

const tableArn = arnOf('dynamodb', `table/${resources.table}`);

function requestOf({ action, place, partition }: TableUse): AwsRequest {
  const resource = place === 'index' ? `${tableArn}/index/openWork` : tableArn;
  return ask(action, resource, { 'dynamodb:LeadingKeys': [partition] });
}

/** What IAM is asked for one call to the table; DynamoDB opens the table's key in the caller's name. */
export function requestsOfTableCall(call: RecordedCall): AwsRequest[] {
  if (call.action === 'DescribeContinuousBackups') return [ask(`dynamodb:${call.action}`, tableArn)];
  const context = { 'aws:dynamodb:tableName': resources.table, 'aws:dynamodb:subscriberId': account };
  return [...usesOf(call).map(requestOf), throughService('Decrypt', resources.dataKey, 'dynamodb', context)];
}
