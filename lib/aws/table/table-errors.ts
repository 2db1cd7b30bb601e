import type { CancellationReason } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { EpsilonError, exitCodes } from '../../errors/epsilon-error.ts';
import { Throttled } from '../../errors/run-errors.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';

/** An item as it is written and read, keys included. */
export type Item = Record<string, unknown>;

/** What refused one part of a transaction; `item` is the item that exists. */
export interface Refusal {
  readonly code: string;
  readonly item?: Item;
}

const slow: ReadonlySet<string> = new Set(['ThrottlingError', 'ProvisionedThroughputExceeded']);

/** The item that refused a conditional write, or undefined when there is none; the SDK leaves it in wire form. */
export function refusingItem(error: unknown): Item | undefined {
  const { Item: found } = error as { Item?: Parameters<typeof unmarshall>[0] };
  return found && Object.keys(found).length > 0 ? unmarshall(found) : undefined;
}

/** Whether the write's own condition refused it. */
export function isRefused(error: unknown): boolean {
  return errorName(error) === 'ConditionalCheckFailedException';
}

/** Why each part of a transaction was refused, in the order of the parts; undefined when the error is another one. */
export function refusalsOf(error: unknown): Refusal[] | undefined {
  if (errorName(error) !== 'TransactionCanceledException') return undefined;
  const reasons = (error as { CancellationReasons?: CancellationReason[] }).CancellationReasons ?? [];
  return reasons.map(({ Code = 'None', Item: found }) => ({
    code: Code,
    ...(found && Object.keys(found).length > 0 ? { item: unmarshall(found) } : {}),
  }));
}

/** Whether another transaction was at one of the items: nothing was written, and trying again is right. */
export function isConflict(error: unknown): boolean {
  if (errorName(error) === 'TransactionConflictException') return true;
  const codes = refusalsOf(error)?.map(({ code }) => code) ?? [];
  return codes.includes('TransactionConflict') && !codes.includes('ConditionalCheckFailed');
}

const backend = (code: string, message: string, cause: unknown) =>
  new EpsilonError(code, message, { exitCode: exitCodes.backend, cause });

/** Turns what DynamoDB answers into Epsilon's errors, naming action and table. */
export function explainTableError(error: unknown, action: string, tableName: string): unknown {
  const { message = '' } = error as Error;
  const call = `dynamodb:${action} on ${tableName}`;
  if (refusalsOf(error)?.some(({ code }) => slow.has(code)))
    return new Throttled(`${call}: the service throttles requests.`, error);
  if (isConflict(error))
    return new Throttled(`${call}: other transactions kept meeting this one; try again.`, error);
  if (errorName(error) === 'ResourceNotFoundException')
    return backend('TABLE_NOT_FOUND', `${call}: there is no such table or index in this region.`, error);
  if (errorName(error) === 'ValidationException' && /item.*size|size.*item/i.test(message))
    return backend('RECORD_TOO_LARGE', `${call}: the record is larger than an item may be (400 KB).`, error);
  return explainServiceError(error, `dynamodb:${action}`, tableName);
}
