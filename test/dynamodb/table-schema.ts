import { openWork } from '../../lib/aws/table/schema.ts';

/**
 * The table as the stores expect it; the CloudFormation is compared with this. All key attributes are strings.
 * What is stored under which key, and why there is only one index, is in docs/table.md.
 */
export const tableSchema = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Epoch seconds; items without it live for ever. */
  timeToLive: 'ttl',
  indexes: [openWork],
} as const;

/** Actions on the table and its index that the stores need, as IAM names them; a transaction needs those of its parts. */
export const tableActions = [
  'dynamodb:BatchGetItem',
  'dynamodb:ConditionCheckItem',
  'dynamodb:DeleteItem',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
] as const;

/** Actions on the token key; only the functions that seal or answer task tokens need them. */
export const tokenKeyActions = ['kms:Decrypt', 'kms:GenerateDataKey'] as const;
