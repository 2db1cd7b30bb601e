import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { type Changes, type Part, Terms, updateExpression } from './expressions.ts';
import type { ItemKey } from './keys.ts';
import type { Item } from './table-errors.ts';

/** Asks a conditional write to bring the item that refused it. */
export const withItem = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

/** One part of a transaction. */
export type TransactionPart =
  | { readonly put: Item; readonly condition?: Part }
  | { readonly update: ItemKey; readonly changes: Changes; readonly condition: Part }
  | { readonly check: ItemKey; readonly condition: Part }
  | { readonly remove: ItemKey; readonly condition?: Part };

/** The part as TransactWriteItems takes it; what it writes carries `writeId`. */
export function transactItem(
  part: TransactionPart,
  TableName: string,
  writeId: string,
): NonNullable<TransactWriteCommandInput['TransactItems']>[number] {
  const terms = new Terms();
  const conditional = () =>
    part.condition ? { ConditionExpression: part.condition(terms), ...withItem, ...terms.fields() } : {};
  if ('put' in part) return { Put: { TableName, Item: { ...part.put, writeId }, ...conditional() } };
  if ('remove' in part) return { Delete: { TableName, Key: { ...part.remove }, ...conditional() } };
  const ConditionExpression = part.condition(terms);
  if ('check' in part) {
    const Key = { ...part.check };
    return { ConditionCheck: { TableName, Key, ConditionExpression, ...withItem, ...terms.fields() } };
  }
  const Key = { ...part.update };
  const UpdateExpression = updateExpression({ ...part.changes, writeId }, terms);
  return {
    Update: { TableName, Key, UpdateExpression, ConditionExpression, ...withItem, ...terms.fields() },
  };
}
