import { StaleFence } from '../../errors/run-errors.ts';
import { ConditionFailed } from '../../errors/store-errors.ts';
import type { LeaseRenewal } from '../../ports/run-store.ts';
import { type Attempt, attemptName, terminalStatuses } from '../../training/run.ts';
import { absent, all, both, compare, isOneOf, type Part } from './expressions.ts';
import { runKeys, tenantKeys } from './keys.ts';
import type { Item, Refusal } from './table-errors.ts';
import type { TransactionPart } from './transact-item.ts';

/** Held by (holder, fence); an expiry that has passed does not matter as long as nobody else took the lease. */
export const heldBy = ({ holder, fence }: { readonly holder: string; readonly fence: number }): Part =>
  all(both(compare('holder', '=', holder), compare('fence', '=', fence)), compare('held', '=', true));

/** The writes that make an attempt: nothing is there yet, the one before is over, the lease is held and renewed. */
export function newAttemptParts(
  item: Item,
  attempt: Attempt,
  lease: LeaseRenewal | undefined,
): TransactionPart[] {
  const parts: TransactionPart[] = [{ put: item, condition: absent('pk') }];
  if (attempt.attempt > 1) {
    const before = runKeys.attempt({ ...attempt, attempt: attempt.attempt - 1 });
    parts.push({ check: before, condition: isOneOf('status', [...terminalStatuses]) });
  }
  if (lease) {
    const { tenantId, expiresAt } = lease;
    parts.push({ update: tenantKeys.lease(tenantId), changes: { expiresAt }, condition: heldBy(lease) });
  }
  return parts;
}

/** The error of an attempt that was refused; the lease is named first: without it the order does not matter. */
export function whyRefused(
  refusals: readonly Refusal[],
  attempt: Attempt,
  lease: LeaseRenewal | undefined,
): Error {
  const last = refusals.at(-1);
  if (lease && last?.code === 'ConditionalCheckFailed')
    return new StaleFence(lease.tenantId, lease.fence, Number(last.item?.['fence'] ?? 0));
  const name = attemptName(attempt);
  if (refusals[0]?.code === 'ConditionalCheckFailed')
    return new ConditionFailed(`attempt ${name} exists already`);
  const before = refusals[1]?.item;
  const status = before
    ? `attempt ${attempt.attempt - 1} is ${String(before['status'])}`
    : 'no attempt precedes it';
  return new ConditionFailed(`attempt ${name} does not follow: ${status}`);
}
