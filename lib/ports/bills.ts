import type { BilledDay } from '../cost/bill.ts';

/** Days of a bill, and what it took to ask for them. */
export interface BillAnswer {
  /** In their order; days without any cost may be left out. */
  readonly days: readonly BilledDay[];
  /** Requests that were paid for. */
  readonly requests: number;
}

/** The account's bill. */
export interface Bills {
  /** From a day (`YYYY-MM-DD`) up to, not including, another. Empty where nobody bills. */
  daily(from: string, until: string): Promise<BillAnswer>;
}
