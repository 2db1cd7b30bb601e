/** One global secondary index. */
export interface TableIndex {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly projection: 'KEYS_ONLY';
}

/** The sparse index of what is not over: attempts that are not settled and runs that are running. */
export const openWork = {
  name: 'openWork',
  partitionKey: 'openPart',
  sortKey: 'openOrder',
  projection: 'KEYS_ONLY',
} as const satisfies TableIndex;

/**
 * The table as the stores expect it; the CloudFormation is compared with this by a test. All key attributes are strings.
 * What stands under which key, and why there is only one index, is told in docs/table.md.
 */
export const tableSchema = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Epoch seconds; items without it live for ever. */
  timeToLive: 'ttl',
  indexes: [openWork] as readonly TableIndex[],
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

/** Encryption context of every use of the token key; key policies and roles may demand it. */
export const tokenKeyContext = { 'epsilon:purpose': 'task-token' } as const;

/** Days after which an item's `ttl` lets it go. */
export const keptDays = {
  /** As long as Step Functions keeps an execution's name: a delivery repeated within it is a duplicate. */
  claim: 90,
  /** Longer than any execution waits (3 days): afterwards the tokens sealed under that day's key are unreadable. */
  tokenKey: 7,
} as const;
