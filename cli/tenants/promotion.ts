import type { Tenant } from '../../lib/tenants/tenant.ts';

/** Options of the command line about promotion. */
export interface PromotionWords {
  readonly maxRegression?: string;
}

/** The record's words about promotion with those of the command line put over them; "none" takes one back. */
export function promotionOf(
  { maxRegression: word }: PromotionWords,
  before: Tenant['promotion'],
): Tenant['promotion'] {
  if (word === undefined) return before;
  const { maxRegression: _, ...others } = before;
  if (word === 'none') return others;
  return { ...others, maxRegression: word.trim() === '' ? Number.NaN : Number(word) };
}
